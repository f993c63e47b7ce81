"""On a machine with Python alone the tests are collected and pass; what needs a foreign tool is skipped by name."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.tools import TOOLS, summarise_skips

ROOT = Path(__file__).parents[1]
PROGRAMS = {program for tool in TOOLS.values() for program in tool.programs} | {"pdftotext"}
TESTS = [path for path in sorted((ROOT / "tests").rglob("test_*.py")) if path != Path(__file__)]
NAMING = [str(path.relative_to(ROOT)) for path in TESTS if "mark.needs(" in path.read_text(encoding="utf-8")]


def run_pytest(tmp_path: Path, *options: str, tools: str) -> subprocess.CompletedProcess[str]:
    """Run pytest with nothing on the PATH."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", f"--basetemp={tmp_path / 'base'}", *options]
    environ |= {"PATH": str(tmp_path), "SONOKI_TOOLS": tools, "OMP_NUM_THREADS": "1"}
    return subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=1800, check=False)


@pytest.mark.slow
def test_every_test_is_collected_without_a_tool(tmp_path: Path) -> None:
    found = run_pytest(tmp_path, "--collect-only", tools="none")
    assert found.returncode == 0, found.stdout[-2000:]


@pytest.mark.slow
def test_the_fast_part_of_what_names_a_tool_passes_without_any(tmp_path: Path) -> None:
    found = run_pytest(tmp_path, "-m", "not slow and not browser", *NAMING, tools="none")
    assert found.returncode == 0, found.stdout[-2000:]
    assert "Skipped for want of DCMTK" in found.stdout
    assert "apt-get install --no-install-recommends dcmtk dicom3tools libgdcm-tools orthanc" in found.stdout


@pytest.mark.slow
def test_where_the_tools_are_required_a_missing_one_fails(tmp_path: Path) -> None:
    found = run_pytest(tmp_path, "tests/core/archive/test_dicom_objects.py", "-k", "planted", tools="required")
    assert found.returncode == 1
    assert "dciodvfy is not installed" in found.stdout


@pytest.mark.parametrize("path", TESTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_test_runs_a_foreign_program_without_naming_it(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    run = {program for program in PROGRAMS if f'"{program}"' in source}
    assert not run or "mark.needs(" in source


def test_the_closing_line_counts_what_was_skipped_and_names_the_packages() -> None:
    reasons = ["('a.py', 1, 'Skipped: Chromium is not installed')"] * 2 + ["Skipped: Orthanc is not installed", "else"]
    line = summarise_skips(reasons)
    assert line.startswith("Skipped for want of Chromium (2), Orthanc (1).")
    assert line.endswith("chromium orthanc orthanc-dicomweb")
    assert summarise_skips(["Skipped: no CUDA device"]) == ""

"""What a page brings with it: home is light, and no page brings torch before a model is asked for."""

import ast
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
HEAVY = {"torch", "torchvision", "openvino", "pandas", "scipy", "sklearn", "statsmodels", "lifelines", "matplotlib"}
ENGINES = {"torch", "torchvision", "openvino"}
DOWNLOADS = {"highdicom", "lifelines", "sklearn"}
EXPORTS = DOWNLOADS | {"torch", "typst", "matplotlib", "pandas", "scipy", "statsmodels", "pydicom"}
PAGES = sorted((ROOT / "pages").glob("*.py"))


def find_brought(*pages: Path) -> list[set[str]]:
    """Run the import statements of pages, one after another in a fresh process; name all modules after each."""
    code = ["import sys"]
    for page in pages:
        body = ast.parse(page.read_text(encoding="utf-8")).body
        code += [ast.unparse(node) for node in body if isinstance(node, ast.Import | ast.ImportFrom)]
        code.append("print(*sys.modules)")
    run = subprocess.run(
        [sys.executable, "-c", "\n".join(code)], cwd=ROOT, capture_output=True, text=True, timeout=300, check=True
    )
    brought = [set(line.split()) for line in run.stdout.splitlines()]
    assert all("streamlit" in names for names in brought)
    return brought


def test_home_is_light() -> None:
    assert find_brought(ROOT / "app.py")[0] & HEAVY == set()


def test_no_page_brings_an_engine_or_what_its_downloads_need() -> None:
    found = [names & (ENGINES | DOWNLOADS) for names in find_brought(*PAGES)]
    assert dict(zip([page.stem for page in PAGES], found, strict=True)) == {page.stem: set() for page in PAGES}


def test_case_brings_nothing_of_its_estimate_before_there_is_one() -> None:
    code = """
import os, sys
from streamlit.testing.v1 import AppTest
at = AppTest.from_file(sys.argv[1], default_timeout=120).run().switch_page("pages/1_Case.py").run()
assert any(button.label == "Estimate" for button in at.button) and not at.exception and not at.error
print(*sys.modules, flush=True)
os._exit(0)  # the network is still being loaded
"""
    command = [sys.executable, "-c", code, str(ROOT / "app.py")]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=True)
    assert set(run.stdout.split()) & EXPORTS == set()

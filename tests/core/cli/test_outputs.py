"""Where the command line writes: never into a model's folder, and over a package only where that is asked for."""

import shutil
import sys
from pathlib import Path

import pytest

from core import cli
from models.bundle import read_bundle

ROOT = Path(__file__).parents[3]


@pytest.fixture
def bundle(bundle_dir: Path, tmp_path: Path) -> Path:
    shutil.copytree(bundle_dir.with_name("backbone"), tmp_path / "backbone")
    return Path(shutil.copytree(bundle_dir, tmp_path / "ours"))


def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str]:
    monkeypatch.setattr(sys, "argv", ["core", *map(str, arguments)])
    try:
        cli.main()
    except SystemExit as end:
        return int(end.code or 0), capsys.readouterr().err
    return 0, capsys.readouterr().err


@pytest.mark.parametrize(
    "call",
    [
        "audit --out {}/entries.csv",
        "bundle pack {} --out {}/ours.zip",
        "bundle unpack x.zip --out {}/again",
        "checklists {}/form.json",
        "collect . --table x.csv --out {}/cohort",
        "coverage --out {}/coverage.csv",
        "alternatives --out {}/alternatives.csv",
        "deidentify x.dcm --out {}/copy.dcm",
        "evaluate x.csv --out {}",
        "evaluate x.csv --out {}/report",
        "evaluate x.csv --refused {}/refused.csv",
        "export x.dcm --out {}/results",
        "federate a.json b.json --out {}/joint",
        "meeting x.csv --out {}/meeting.pdf",
        "predict x.png --document {}/case.pdf",
        "pretrain x --out {}/networks",
        "register export --out {}/register.csv",
        "report {} --paper {}/paper",
        "score x.csv --out {}/predictions.csv",
        "simulate --out {}/cohort",
        "summarise-site x.csv --site A --out {}/site.json",
        "train x.csv --out {}/ours",
        "update {} --out {}/next",
    ],
)
def test_nothing_is_written_into_a_bundle(call: str, bundle: Path, monkeypatch, capsys) -> None:
    before = sorted(bundle.rglob("*"))
    code, error = run(monkeypatch, capsys, *(part.replace("{}", str(bundle)) for part in call.split()))
    assert (code, "in the folder ours of a model" in error) == (2, True), error
    assert sorted(bundle.rglob("*")) == before


def test_nothing_is_written_into_a_network(monkeypatch, capsys) -> None:
    for name in ("backbone", "lesion-segmenter"):
        code, error = run(monkeypatch, capsys, "evaluate", "x.csv", "--out", ROOT / "models" / name / "report")
        assert (code, f"in the folder {name} of a model" in error) == (2, True), error


def test_a_package_takes_the_place_of_a_file_only_on_demand(bundle: Path, tmp_path: Path, monkeypatch, capsys) -> None:
    out = tmp_path / "new" / "ours.zip"
    assert run(monkeypatch, capsys, "bundle", "pack", bundle, "--out", out)[0] == 0
    whole = out.read_bytes()
    out.write_bytes(b"thesis")
    code, error = run(monkeypatch, capsys, "bundle", "pack", bundle, "--out", out)
    assert (code, out.read_bytes()) == (2, b"thesis")
    assert "--replace" in error
    assert run(monkeypatch, capsys, "bundle", "pack", bundle, "--out", out, "--replace")[0] == 0
    assert out.read_bytes() == whole
    assert "is a folder" in run(monkeypatch, capsys, "bundle", "pack", bundle, "--out", out.parent)[1]
    assert read_bundle(bundle).name == "test-bundle"


@pytest.mark.parametrize(
    "name", ["a\x1b]0;x\x07\x1b[2J.zip", "a\r0 refused.zip", "a\u202egpj.zip", "a\udcff.zip"], ids=ascii
)
def test_a_file_s_name_does_not_rule_the_terminal(name: str, monkeypatch, capsys) -> None:
    code, said = run(monkeypatch, capsys, "bundle", "verify", name)
    assert code == 1
    assert said.endswith(".zip is not there: give a bundle's folder or its package.\n")
    assert said[:-1].isprintable()

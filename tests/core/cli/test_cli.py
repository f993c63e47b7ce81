"""The command line as a user calls it: JSON on stdout, sentences on stderr, exit codes."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.cli.case import read_clinical
from core.errors import InputError
from core.simulation import render_patient, simulate_cohort
from tests.core.imaging.samples import make_dicom, make_speckle

ROOT = Path(__file__).parents[3]


@pytest.fixture
def image(tmp_path: Path) -> Path:
    Image.fromarray(render_patient(simulate_cohort(24, 1), 0, 1).pixels).save(tmp_path / "image.png")
    return tmp_path / "image.png"


@pytest.fixture
def clinical(tmp_path: Path) -> Path:
    path = tmp_path / "clinical.json"
    path.write_text(json.dumps({"age": 47, "size_mm": 24, "birads": "4C"}))
    return path


def test_predict_prints_the_contract(run, bundle_dir: Path, image: Path, clinical: Path) -> None:
    code, out, _ = run(
        "predict",
        image,
        "--clinical",
        clinical,
        "--roi",
        "400,250,600,400",
        "--bundle",
        bundle_dir,
        "--json",
    )
    data = json.loads(out)
    assert code == 0
    assert {
        "probability", "interval", "logit", "group", "threshold", "contributions", "intercept", "heatmap",
        "heatmap_offset", "applicability", "bundle", "input_sha256", "seconds",
    } <= set(data)  # fmt: skip
    image_term = float(np.mean(data["heatmap"])) + data["heatmap_offset"]
    assert image_term == pytest.approx(data["contributions"]["image"], abs=1e-4)
    assert data["intercept"] + sum(data["contributions"].values()) == pytest.approx(data["logit"], abs=1e-9)
    assert data["bundle"]["name"] == "test-bundle"
    assert data["simulated"]
    assert "Research use only" in data["intended_use"]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"age": 430}, "430 is outside 18 to 100 years"),
        ({"birads": "6"}, "BI-RADS 6 means"),
        ({"ki67_cnb_pct": 30}, "compared with the estimate, never fed into it"),
        ([1], "must be one JSON object"),
    ],
)
def test_refused_values_end_in_a_sentence_and_code_3(
    run, bundle_dir: Path, image: Path, tmp_path: Path, values: object, message: str
) -> None:
    (tmp_path / "bad.json").write_text(json.dumps(values))
    code, out, err = run("predict", image, "--clinical", tmp_path / "bad.json", "--bundle", bundle_dir)
    assert (code, out) == (3, "")
    assert message in err
    assert "Traceback" not in err


def test_a_text_file_is_no_image(run, bundle_dir: Path, tmp_path: Path) -> None:
    (tmp_path / "text.png").write_text("hello")
    code, _, err = run("predict", tmp_path / "text.png", "--bundle", bundle_dir)
    assert code == 3
    assert len(err.strip().splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("predict", "nowhere.png"), 3, "The image file is not there"),
        (("predict", __file__, "--roi", "1,2"), 2, "--roi takes X0,Y0,X1,Y1"),
        (("train", "m.csv", "--out", "o", "--rule", "<"), 2, "--rule is"),
        (("train", "m.csv", "--out", "o"), 3, "The table can't be opened"),
        (("pretrain", "nowhere", "--out", "o", "--init", "magic"), 2, "--init is scratch or imagenet"),
        (("evaluate", "nowhere.csv"), 3, "can't be opened"),
        (("dance",), 2, "No such command"),
    ],
)
def test_a_wrong_call_says_what_to_do(run, arguments: tuple[str, ...], code: int, message: str) -> None:
    seen, _, err = run(*arguments)
    assert seen == code
    assert message in err


def test_evaluate_prints_each_split(run, bundle_dir: Path) -> None:
    code, out, _ = run("evaluate", bundle_dir / "evidence" / "predictions.csv", "--by", "centre", "--json")
    data = json.loads(out)
    assert code == 0
    assert set(data) == {"train", "validation", "test", "external"}
    assert data["external"]["n"] == 30
    assert 0 <= data["external"]["discrimination"]["auc"] <= 1


def test_help_needs_no_torch() -> None:
    script = "import sys; from core import cli; sys.exit('torch' in sys.modules or 'streamlit' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], cwd=ROOT, env=os.environ, check=False).returncode == 0


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_clinical_values_are_read_in_any_unicode(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "case.json"
    path.write_text('{"age": 54}', encoding=encoding)
    assert read_clinical(path) == ({"age": 54.0}, None)


@pytest.mark.parametrize("content", [b"", b'{"age": 54,', b"\xff\xfe\xfd", None])
def test_clinical_values_that_are_no_json_get_a_sentence(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path
    if content is not None:
        path = tmp_path / "case.json"
        path.write_bytes(content)
    with pytest.raises(InputError, match="not readable JSON"):
        read_clinical(path)


def test_predict_takes_no_files_of_two_patients_as_views_of_one_lesion(run, tmp_path: Path) -> None:
    files = []
    for name in ("P-1", "P-2"):
        files.append(tmp_path / f"{name}.dcm")
        files[-1].write_bytes(
            make_dicom(make_speckle(), PatientID=name, StudyInstanceUID=f"1.2.{name[-1]}", SeriesInstanceUID="1.2.3")
        )
    code, _, err = run("predict", *files)
    assert code == 3
    assert "name different patients" in err


def test_predict_names_a_picture_that_is_given_twice(run, bundle_dir: Path, image: Path) -> None:
    code, _, err = run("predict", image, image, "--bundle", bundle_dir)
    assert code == 0
    assert "View 2 shows the same picture as view 1" in err
    _, _, err = run("predict", image, "--bundle", bundle_dir)
    assert "the same picture" not in err


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"age": 52, "age": 60}', "A name stands twice"),
        ("[" * 100_000, "not readable JSON"),
        ('{"age": ' + "9" * 5000 + "}", "not readable JSON"),
        ('{"shoe_size": 40}', "the model takes adler, age"),
    ],
)
def test_odd_json_of_clinical_values_gets_a_sentence(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "values.json"
    path.write_text(content)
    with pytest.raises(InputError, match=message):
        read_clinical(path)


@pytest.mark.parametrize("verb", ["evaluate", "score", "train"])
@pytest.mark.parametrize("place", ["file.txt/refused.csv", ""])
def test_a_file_of_refused_rows_that_can_not_be_written_gets_a_sentence(
    run, tmp_path: Path, verb: str, place: str
) -> None:
    (tmp_path / "file.txt").write_text("")
    (tmp_path / "table.csv").write_text("patient_id,split,y,prob\nP1,test,1,0.6\nP2,test,0,0.4\nP3,test,0,x\n")
    (tmp_path / "manifest.csv").write_text("patient_id,centre,image,ki67_pct\nP1,A,none.png,20\n")
    more = {"score": ["--out", tmp_path / "out.csv"], "train": ["--check", "--out", tmp_path / "bundle"]}.get(verb, [])
    table = tmp_path / ("table.csv" if verb == "evaluate" else "manifest.csv")
    code, out, err = run(verb, table, *more, "--refused", tmp_path / place)
    assert (code, out) == ((1, "") if place else (2, ""))
    assert ("--refused can't be written" if place else "--refused is a folder") in err
    assert "Traceback" not in err


@pytest.mark.parametrize(("place", "code"), [("", 2), ("file.txt/out.csv", 1)])
def test_scores_that_can_not_be_written_get_a_sentence_before_the_work(
    run, bundle_dir: Path, image: Path, tmp_path: Path, place: str, code: int
) -> None:
    (tmp_path / "file.txt").write_text("")
    manifest = tmp_path / "manifest.csv"
    manifest.write_text(f"patient_id,image\nP1,{image.name}\n")
    found, out, err = run("score", manifest, "--bundle", bundle_dir, "--out", tmp_path / place)
    assert (found, out) == (code, "")
    assert "--out" in err.splitlines()[-1]
    assert "Traceback" not in err

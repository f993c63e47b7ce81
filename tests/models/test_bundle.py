import json
import shutil
from pathlib import Path

import pytest

from core.errors import ModelError
from core.inference.trust import load_bundle
from models.bundle import HEADS, MANIFEST, WEIGHTS, read_bundle, write_bundle
from models.sealed import CARD, BundleError, hash_file


@pytest.fixture
def copy(bundle_dir: Path, tmp_path: Path) -> Path:
    shutil.copytree(bundle_dir, tmp_path / "bundle")
    (tmp_path / "backbone").symlink_to((bundle_dir / "../backbone").resolve())
    return tmp_path / "bundle"


def change(path: Path, **values: object) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def seal(folder: Path) -> None:
    """Let the card name the manifest as it is now, as somebody would who knows the rule."""
    card = (folder / CARD).read_text().rsplit("\nBundle sha256", 1)[0]
    (folder / CARD).write_text(f"{card}\nBundle sha256 `{hash_file(folder / MANIFEST)}`.\n")


def test_a_bundle_is_read_back(copy: Path) -> None:
    bundle = read_bundle(copy)
    assert bundle.name == "test-bundle"
    assert bundle.fusion_heads["m1"].bootstrap.shape[0] >= 200
    assert len(bundle.sha256) == 64


@pytest.mark.parametrize("name", [HEADS, CARD, "evidence/predictions.csv"])
def test_a_changed_file_is_refused(copy: Path, name: str) -> None:
    with (copy / name).open("a") as file:
        file.write(" ")
    with pytest.raises(BundleError, match="was changed after training"):
        read_bundle(copy)


def test_a_missing_file_is_refused(copy: Path) -> None:
    (copy / CARD).unlink()
    with pytest.raises(BundleError, match=r"CARD\.md of the bundle is missing"):
        read_bundle(copy)


@pytest.mark.parametrize("version", [99, 3, 1, None])
def test_a_newer_an_older_and_no_schema_are_refused(copy: Path, version: object) -> None:
    change(copy / MANIFEST, schema_version=version)
    with pytest.raises(BundleError, match=f"schema version {version}, this program reads .*take the program's other"):
        read_bundle(copy)


def test_other_weights_are_refused(copy: Path) -> None:
    change(copy / MANIFEST, backbone={"path": "../backbone", "architecture": "resnet50", "sha256": "0" * 64})
    seal(copy)
    with pytest.raises(BundleError, match=f"{WEIGHTS} of the bundle was changed"):
        read_bundle(copy)


@pytest.mark.parametrize(
    "values",
    [
        {"threshold": {"value": 0.01, "rule": "youden", "chosen_on": "train + validation"}},
        {"training_data": {"simulated": False, "description": "Consecutive patients."}},
        {"no_call": {"low": 0.5, "high": 0.5, "rule": "none"}},
        {"cutoff": {"value": 14.0, "rule": ">="}},
        {"files": {}},
        {"name": "another"},
    ],
)
def test_a_changed_manifest_is_refused(copy: Path, values: dict) -> None:
    change(copy / MANIFEST, **values)
    with pytest.raises(BundleError, match=r"manifest\.json.* of the bundle|is not named in its manifest\.json"):
        read_bundle(copy)


def test_the_card_ends_with_the_bundles_hash(copy: Path) -> None:
    card = (copy / CARD).read_text()
    assert card.endswith(f"\nBundle sha256 `{read_bundle(copy).sha256}`.\n")
    (copy / CARD).write_text(card.rsplit("\n", 2)[0])
    with pytest.raises(BundleError, match=r"CARD\.md of the bundle was changed after training \(its last line"):
        read_bundle(copy)


@pytest.mark.parametrize("name", ["evidence/more.csv", "evidence/deep/more.csv", "more.onnx", ".hidden", HEADS])
def test_a_file_that_the_manifest_does_not_name_is_refused(copy: Path, name: str) -> None:
    (copy / name).parent.mkdir(exist_ok=True)
    (copy / name).touch()
    files = json.loads((copy / MANIFEST).read_text())["files"]
    change(copy / MANIFEST, files={key: value for key, value in files.items() if key != name})
    seal(copy)
    with pytest.raises(BundleError, match=f"{name} of the bundle is not named"):
        read_bundle(copy)


def test_a_manifest_that_names_files_elsewhere_is_refused(copy: Path) -> None:
    files = json.loads((copy / MANIFEST).read_text())["files"]
    change(copy / MANIFEST, files=files | {"../backbone/" + WEIGHTS: "0" * 64})
    seal(copy)
    with pytest.raises(BundleError, match="names a file outside its folder"):
        read_bundle(copy)


@pytest.mark.parametrize("values", [{"files": None}, {"files": ["heads.json"]}, {"backbone": {}}, {"backbone": "x"}])
def test_a_manifest_of_another_shape_gets_a_sentence(copy: Path, values: dict) -> None:
    change(copy / MANIFEST, **values)
    seal(copy)
    with pytest.raises(BundleError, match=r"\.json"):
        read_bundle(copy)


def test_a_bundle_that_is_written_again_names_its_hash_once(copy: Path) -> None:
    manifest = {
        k: v for k, v in json.loads((copy / MANIFEST).read_text()).items() if k not in {"schema_version", "files"}
    }
    before = read_bundle(copy).sha256
    refits, heads = read_bundle(copy).refits, json.loads((copy / HEADS).read_text())
    write_bundle(copy, manifest | {"name": "b"}, heads, refits, (copy / CARD).read_text())
    assert read_bundle(copy).sha256 != before
    assert (copy / CARD).read_text().count("Bundle sha256") == 1


def test_the_site_may_name_the_bundles_that_answer(bundle_dir: Path, monkeypatch) -> None:
    own = read_bundle(bundle_dir).sha256
    monkeypatch.setattr("core.inference.trust.get_text_setting", lambda name: f"{'0' * 64}, {own.upper()}")
    assert load_bundle(bundle_dir).sha256 == own
    monkeypatch.setattr("core.inference.trust.get_text_setting", lambda name: "0" * 64)
    with pytest.raises(ModelError, match="is not one of the 1 that SONOKI_TRUSTED_BUNDLES names"):
        load_bundle(bundle_dir)


def test_what_is_no_json_is_refused(copy: Path) -> None:
    (copy / MANIFEST).write_text("{")
    with pytest.raises(BundleError, match=r"manifest\.json of the bundle is not readable JSON"):
        read_bundle(copy)


ODD_NUMBERS = [float("nan"), float("inf"), None, "0.4", [0.4], 10**30]
PLACES = {
    "threshold": ("manifest", ("threshold", "value")),
    "indeterminate range": ("manifest", ("no_call", "low")),
    "input": ("manifest", ("input", "size")),
    "patients": ("manifest", ("training_data", "n_patients")),
    "image head": ("heads", ("image", "ki67", "bias")),
    "weights": ("heads", ("image", "ki67", "weights", 0)),
    "fusion": ("heads", ("fusion", "m1", "image_coef")),
    "coefficients": ("heads", ("fusion", "m1", "coefs", 0)),
    "refits": ("heads", ("fusion", "m1", "bootstrap", 0, 0)),
    "term": ("heads", ("fusion", "m1", "terms", 0, "unit")),
    "reference": ("heads", ("references", "training", "caution")),
    "gate": ("heads", ("gate", "refuse")),
}


def put(folder: Path, place: str, value: object) -> None:
    """Put a value into manifest or heads, with all hashes made anew, as somebody would who knows the rule."""
    part, names = PLACES[place]
    manifest, heads = (json.loads((folder / name).read_text()) for name in (MANIFEST, HEADS))
    held = manifest if part == "manifest" else heads
    for name in names[:-1]:
        held = held[name]
    held[names[-1]] = value
    (folder / HEADS).write_text(json.dumps(heads))
    manifest["files"][HEADS] = hash_file(folder / HEADS)
    (folder / MANIFEST).write_text(json.dumps(manifest))
    seal(folder)


def test_half_a_letter_is_no_name(copy: Path) -> None:
    """No page could be drawn whose banner holds it."""
    change(copy / MANIFEST, name="ours \ud800")
    seal(copy)
    with pytest.raises(BundleError, match="is not readable JSON"):
        read_bundle(copy)


@pytest.mark.parametrize("value", ODD_NUMBERS, ids=repr)
@pytest.mark.parametrize("place", PLACES)
def test_a_number_that_is_none_is_refused(copy: Path, place: str, value: object) -> None:
    put(copy, place, value)
    with pytest.raises(BundleError):
        read_bundle(copy)


@pytest.mark.parametrize(
    ("place", "value"),
    [("threshold", 1.5), ("threshold", -0.1), ("indeterminate range", 1.0), ("input", 1e6), ("input", 0), ("term", 0)],
)
def test_a_number_out_of_its_range_is_refused(copy: Path, place: str, value: float) -> None:
    put(copy, place, value)
    with pytest.raises(BundleError, match="has another shape"):
        read_bundle(copy)


@pytest.mark.parametrize("value", ["", "false", 0, None, []])
def test_what_is_not_false_does_not_stand_for_it(copy: Path, value: object) -> None:
    """A bundle whose patients are simulated must not pass for one of real patients."""
    data = json.loads((copy / MANIFEST).read_text())["training_data"]
    change(copy / MANIFEST, training_data=data | {"simulated": value})
    seal(copy)
    with pytest.raises(BundleError, match="neither true nor false"):
        read_bundle(copy)

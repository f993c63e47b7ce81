import json
import shutil
from pathlib import Path

import pytest

from models.bundle import CARD, HEADS, MANIFEST, WEIGHTS, BundleError, read_bundle


@pytest.fixture
def copy(bundle_dir: Path, tmp_path: Path) -> Path:
    shutil.copytree(bundle_dir, tmp_path / "bundle")
    (tmp_path / "backbone").symlink_to((bundle_dir / "../backbone").resolve())
    return tmp_path / "bundle"


def change(path: Path, **values: object) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


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


def test_another_schema_is_refused(copy: Path) -> None:
    change(copy / MANIFEST, schema_version=99)
    with pytest.raises(BundleError, match="schema version 99"):
        read_bundle(copy)


def test_other_weights_are_refused(copy: Path) -> None:
    change(copy / MANIFEST, backbone={"path": "../backbone", "sha256": "0" * 64})
    with pytest.raises(BundleError, match=f"{WEIGHTS} of the bundle was changed"):
        read_bundle(copy)


def test_what_is_no_json_is_refused(copy: Path) -> None:
    (copy / MANIFEST).write_text("{")
    with pytest.raises(BundleError, match=r"manifest\.json of the bundle is not readable JSON"):
        read_bundle(copy)

"""One changed bit in any file that the shipped model consists of: it does not answer."""

import shutil
from pathlib import Path

import pytest

from core.errors import ModelError
from core.inference.lesion_finder import LesionFinder
from core.inference.trust import load_bundle
from core.training.backbone.folder import read_backbone_card

MODELS = Path(__file__).parents[2] / "models"
BUNDLE = MODELS / "ki67-demo"
FILES = sorted(str(path.relative_to(MODELS)) for path in BUNDLE.rglob("*") if path.is_file())


@pytest.fixture
def models(tmp_path: Path) -> Path:
    for name in ("ki67-demo", "backbone"):
        shutil.copytree(MODELS / name, tmp_path / name)
    return tmp_path


@pytest.mark.parametrize("name", [*FILES, "backbone/backbone.onnx"])
@pytest.mark.parametrize("place", [0.0, 0.5, 1.0])
def test_a_flipped_bit_is_refused(models: Path, name: str, place: float) -> None:
    data = bytearray((models / name).read_bytes())
    data[int(place * (len(data) - 1))] ^= 1
    (models / name).write_bytes(data)
    with pytest.raises(ModelError):
        load_bundle(models / "ki67-demo")


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_is_gone_or_cut_is_refused(models: Path, name: str) -> None:
    data = (models / name).read_bytes()
    (models / name).write_bytes(data[: len(data) // 2])
    with pytest.raises(ModelError):
        load_bundle(models / "ki67-demo")
    (models / name).unlink()
    with pytest.raises(ModelError):
        load_bundle(models / "ki67-demo")


OTHERS = sorted(str(path.relative_to(MODELS)) for path in MODELS.glob("[bl]*/*") if path.parent != MODELS)


@pytest.mark.parametrize("name", OTHERS)
@pytest.mark.parametrize("place", [0.0, 0.5, 1.0])
def test_a_flipped_bit_in_backbone_or_segmenter_is_refused(tmp_path: Path, name: str, place: float) -> None:
    folder = Path(name).parent.name
    shutil.copytree(MODELS / folder, tmp_path / folder)
    data = bytearray((tmp_path / name).read_bytes())
    data[int(place * (len(data) - 1))] ^= 1
    (tmp_path / name).write_bytes(data)
    with pytest.raises(ModelError):
        LesionFinder.load(tmp_path / folder) if "segmenter" in folder else read_backbone_card(tmp_path / folder)


@pytest.mark.parametrize("text", ["[" * 100_000, "[1, 2]", "null"])
def test_a_manifest_of_odd_json_is_refused(models: Path, text: str) -> None:
    (models / "ki67-demo" / "manifest.json").write_text(text)
    with pytest.raises(ModelError, match="not readable JSON"):
        load_bundle(models / "ki67-demo")

"""The segmenter: shape, size, letterbox, files and their hash."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from models.exchange import SEGMENTER, GreySegmenter, read_network, read_segmenter, write_network
from models.letterbox import Letterbox
from models.sealed import BundleError
from models.segmenter import Segmenter
from models.segmenter_card import SEGMENTER as SEALED
from models.segmenter_card import WEIGHTS, read_card, write_card

CARD = {"input": {"size": 64, "mean": 0.3, "std": 0.2}, "threshold": 0.5}


@pytest.fixture(scope="module")
def net() -> GreySegmenter:
    torch.manual_seed(0)
    return GreySegmenter(SEGMENTER, 0.3, 0.2).eval()


@pytest.fixture(scope="module")
def weights(net: GreySegmenter, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("segmenter") / WEIGHTS
    write_network(net, path, 64)
    return path.read_bytes()


@pytest.fixture
def folder(weights: bytes, tmp_path: Path) -> Path:
    (tmp_path / WEIGHTS).write_bytes(weights)
    write_card(tmp_path, CARD)
    return tmp_path


def test_log_odds_have_the_shape_of_the_input():
    net = Segmenter().eval()
    with torch.inference_mode():
        assert net(torch.zeros(2, 1, 64, 96)).shape == (2, 1, 64, 96)


def test_the_weights_take_at_most_10_mb(weights: bytes):
    assert len(weights) <= 10_000_000


@pytest.mark.parametrize(("width", "height"), [(640, 480), (275, 353), (192, 192), (1000, 31)])
def test_a_bright_pixel_lies_at_its_place_in_the_part_that_is_cut_out_again(width, height):
    pixels = np.zeros((height, width), np.uint8)
    top, left = height // 2, width // 5
    pixels[top : top + 4, left : left + 4] = 255
    letterbox = Letterbox(width, height, 192)
    part = letterbox.cut(letterbox.apply(pixels).astype(np.float32))
    rows, columns = ((np.arange(n) + 0.5) / n for n in part.shape)
    x, y = np.average(columns, weights=part.sum(axis=0)), np.average(rows, weights=part.sum(axis=1))
    assert (x * width, y * height) == pytest.approx((left + 2, top + 2), abs=max(width, height) / 192)


def test_the_letterbox_keeps_the_aspect_and_the_rest_black():
    letterbox = Letterbox(400, 200, 192)
    square = letterbox.apply(np.full((200, 400), 200, np.uint8))
    assert letterbox.inner == (192, 96)
    assert (letterbox.cut(square) == 200).all()
    assert np.count_nonzero(square) == 192 * 96


def test_weights_come_back_as_fp16_holds_them(net: GreySegmenter, folder: Path):
    images = torch.randint(0, 256, (2, 64, 64), dtype=torch.uint8)
    with torch.inference_mode():
        assert read_segmenter(folder / WEIGHTS)(images) == pytest.approx(net(images), abs=0.01)
    assert read_card(folder)["threshold"] == 0.5


def test_a_segmenter_is_no_backbone(folder: Path):
    with pytest.raises(BundleError, match="does not hold a network that this program knows"):
        read_network(folder / WEIGHTS)


def test_changed_weights_are_refused(folder: Path):
    data = bytearray((folder / WEIGHTS).read_bytes())
    data[-1] ^= 1
    (folder / WEIGHTS).write_bytes(data)
    with pytest.raises(BundleError, match="was changed after training"):
        read_card(folder)


def test_an_empty_folder_is_refused(tmp_path: Path):
    with pytest.raises(BundleError, match=r"segmenter\.json is not in the folder .* give a lesion segmenter's folder"):
        read_card(tmp_path)


def test_another_schema_is_refused(folder: Path):
    path = folder / SEALED.manifest
    path.write_text(path.read_text().replace('"schema_version": 3', '"schema_version": 9'))
    with pytest.raises(BundleError, match="schema version 9"):
        read_card(folder)


@pytest.mark.parametrize("change", [{"least_confidence": 0.01}, {"threshold": 0.01}, {"files": {}}, {"files": None}])
def test_a_changed_manifest_is_refused(folder: Path, change: dict):
    path = folder / SEALED.manifest
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(BundleError, match=r"segmenter\.json"):
        read_card(folder)


@pytest.mark.parametrize("name", ["more.onnx", ".hidden", "evidence/deep/x.csv"])
def test_a_file_that_is_not_named_is_refused(folder: Path, name: str):
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).touch()
    with pytest.raises(BundleError, match=f"{name} of the lesion segmenter is not named in its segmenter"):
        read_card(folder)

"""The segmenter: shape, size, letterbox, files and their hash."""

from pathlib import Path

import numpy as np
import pytest
import torch

from models.bundle import BundleError
from models.letterbox import Letterbox
from models.segmenter import Segmenter, read_segmenter, write_segmenter
from models.segmenter_card import CARD_JSON, WEIGHTS

CARD = {"input": {"size": 64, "mean": 0.3, "std": 0.2}, "threshold": 0.5}


def test_log_odds_have_the_shape_of_the_input():
    net = Segmenter().eval()
    with torch.inference_mode():
        assert net(torch.zeros(2, 1, 64, 96)).shape == (2, 1, 64, 96)


def test_the_weights_take_at_most_10_mb(tmp_path: Path):
    write_segmenter(Segmenter(), tmp_path, CARD)
    assert (tmp_path / WEIGHTS).stat().st_size <= 10_000_000


@pytest.mark.parametrize(("width", "height"), [(640, 480), (275, 353), (192, 192), (1000, 31)])
def test_a_point_comes_back_from_the_letterbox(width, height):
    letterbox = Letterbox(width, height, 192)
    points = np.random.default_rng(0).uniform(0, (width, height), (50, 2))
    square = letterbox.to_square(points)
    assert square.min() >= 0
    assert square.max() <= 192
    assert letterbox.to_frame(square) == pytest.approx(points, abs=1e-9)


def test_a_bright_pixel_lies_where_the_letterbox_says():
    pixels = np.zeros((300, 400), np.uint8)
    pixels[180:184, 60:64] = 255
    letterbox = Letterbox(400, 300, 192)
    y, x = np.unravel_index(letterbox.apply(pixels).argmax(), (192, 192))
    assert letterbox.to_frame(np.array([[x + 0.5, y + 0.5]]))[0] == pytest.approx((62, 182), abs=1.1)


def test_the_letterbox_keeps_the_aspect_and_the_rest_black():
    letterbox = Letterbox(400, 200, 192)
    square = letterbox.apply(np.full((200, 400), 200, np.uint8))
    assert letterbox.inner == (192, 96)
    assert (letterbox.cut(square) == 200).all()
    assert np.count_nonzero(square) == 192 * 96


def test_weights_come_back_as_fp16_holds_them(tmp_path: Path):
    torch.manual_seed(0)
    net = Segmenter().eval()
    write_segmenter(net, tmp_path, CARD)
    read, card = read_segmenter(tmp_path)
    assert card["threshold"] == 0.5
    x = torch.randn(1, 1, 64, 64)
    with torch.inference_mode():
        assert read(x) == pytest.approx(net(x), abs=0.02)


def test_changed_weights_are_refused(tmp_path: Path):
    write_segmenter(Segmenter(), tmp_path, CARD)
    data = bytearray((tmp_path / WEIGHTS).read_bytes())
    data[-1] ^= 1
    (tmp_path / WEIGHTS).write_bytes(data)
    with pytest.raises(BundleError, match="was changed after training"):
        read_segmenter(tmp_path)


def test_an_empty_folder_is_refused(tmp_path: Path):
    with pytest.raises(BundleError, match="holds no lesion segmenter"):
        read_segmenter(tmp_path)


def test_another_schema_is_refused(tmp_path: Path):
    write_segmenter(Segmenter(), tmp_path, CARD)
    path = tmp_path / CARD_JSON
    path.write_text(path.read_text().replace('"schema_version": 1', '"schema_version": 9'))
    with pytest.raises(BundleError, match="schema version 9"):
        read_segmenter(tmp_path)

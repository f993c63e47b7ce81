"""The lesion finder with the shipped segmenter, on simulated frames."""

import threading

import numpy as np
import pytest

from core.errors import ModelError
from core.imaging import Frame, Roi
from core.inference.engines.processor import computes_in_bf16
from core.inference.lesion_finder import SEGMENTER, LesionFinder
from core.inference.queue.worker import Worker
from core.simulation import render_frame
from core.simulation.parameters import LATENTS
from models.segmenter_card import WEIGHTS, read_card, write_card

BACKGROUNDS = ("homog_fibroglandular", "homog_fat", "heterogeneous")
SIZES = ((18, 12), (25, 16), (14, 10), (30, 22), (22, 18), (16, 9), (20, 13), (28, 15))


@pytest.fixture(scope="module")
def finder() -> LesionFinder:
    return LesionFinder.load()


def make_frame(pixels: np.ndarray, mm_per_px: float | None = None) -> Frame:
    return Frame(pixels=pixels, mm_per_px=mm_per_px, origin=(0, 0), source_scale=(1, 1), sha256="0" * 64)


def overlap(first: Roi, second: Roi) -> float:
    width = min(first.x1, second.x1) - max(first.x0, second.x0)
    height = min(first.y1, second.y1) - max(first.y0, second.y0)
    shared = max(width, 0) * max(height, 0)
    return shared / (first.width * first.height + second.width * second.height - shared)


def test_most_simulated_lesions_are_found(finder):
    good = 0
    for i, (size, depth) in enumerate(SIZES):
        rng = np.random.default_rng(i)
        background = BACKGROUNDS[i % len(BACKGROUNDS)]
        frame = render_frame(
            rng, "ABCD"[i % 4], dict.fromkeys(LATENTS, 0.0), size_mm=size, size_ap_mm=depth, background=background
        )
        lesions = finder.find(make_frame(frame.pixels))
        good += bool(lesions) and overlap(lesions[0].box, Roi(*map(float, frame.box))) > 0.5
    assert good >= 6


@pytest.mark.parametrize("level", [0, 90, 255])
def test_a_frame_without_contrast_has_no_lesion(finder, level):
    rng = np.random.default_rng(0)
    pixels = np.clip(level + rng.integers(-3, 4, (300, 400)), 0, 255).astype(np.uint8)
    assert finder.find(make_frame(pixels)) == ()


def test_a_mirrored_frame_has_the_mirrored_lesion(finder):
    frame = render_frame(
        np.random.default_rng(1), "A", dict.fromkeys(LATENTS, 0.0), size_mm=20, size_ap_mm=14, background=BACKGROUNDS[0]
    )
    box, mirrored = (
        finder.find(make_frame(np.ascontiguousarray(pixels)))[0].box for pixels in (frame.pixels, frame.pixels[:, ::-1])
    )
    width = frame.pixels.shape[1]
    assert (width - mirrored.x1, mirrored.y0, width - mirrored.x0, mirrored.y1) == pytest.approx(
        (box.x0, box.y0, box.x1, box.y1), abs=6
    )


def test_both_engines_give_the_same_map():
    frame = make_frame(np.random.default_rng(1).integers(0, 256, (300, 400), dtype=np.uint8))
    maps = [LesionFinder.load(engine=name).predict_map(frame.pixels) for name in ("openvino", "torch")]
    assert np.abs(maps[0] - maps[1]).max() < (0.05 if computes_in_bf16() else 1e-4)


@pytest.mark.parametrize("engine", ["openvino", "torch"])
def test_weights_of_another_network_are_an_error(engine, tmp_path):
    (tmp_path / WEIGHTS).write_bytes(b"no network")
    write_card(tmp_path, {name: value for name, value in read_card(SEGMENTER).items() if name != "files"})
    with pytest.raises(ModelError, match="does not hold a network"):
        LesionFinder.load(tmp_path, engine=engine)


def test_a_missing_segmenter_is_an_error(tmp_path):
    with pytest.raises(ModelError, match="give a lesion segmenter's folder"):
        LesionFinder.load(tmp_path)


def test_the_network_runs_in_the_worker_s_thread_alone(bundle_dir, monkeypatch):
    threads = []

    def find(_finder: LesionFinder, frame: Frame, _at: None) -> tuple[()]:
        threads.append(threading.current_thread())
        return ()

    monkeypatch.setattr(LesionFinder, "find", find)
    worker = Worker(bundle_dir)
    frame = make_frame(np.zeros((30, 40), np.uint8))
    assert worker.find_lesions(frame) == worker.find_lesions(frame) == ()
    worker.close()
    assert len(set(threads)) == 1
    assert threads[0] is not threading.main_thread()

"""Inputs that the applicability gate is fitted and measured on: breast ultrasound as it comes, and other images."""

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from core.errors import ImageError
from core.imaging import Frame, Roi, default_roi, prepare_input
from core.imaging.decoding.decode import choose_region
from core.imaging.decoding.raster import to_grey
from core.inference.engines.interface import Engine
from core.training.clinics import Lesions, read_index
from core.training.not_ultrasound import SMALLEST, list_others
from models.input_rule import InputRule

SEED = 20260507
BATCH = 64
CHANGES = ("half the size", "four times the size", "JPEG quality 30", "brighter", "darker", "blurred", "cut by hand")
DRAWN, DEFAULT, ANYWHERE = "box drawn", "no box", "box anywhere"
CHANGED = "resized, brighter, darker, blurred, compressed or cut"


@dataclass(frozen=True)
class GateData:
    """Inputs of the network, of ultrasound and of other things."""

    crops: NDArray[np.uint8]  # (n, size, size), the inputs
    source: NDArray[np.str_]  # (n,), clinic, or what an image that is no ultrasound shows and where it is from
    image: NDArray[np.str_]  # (n,), the image that it was cut from
    kind: NDArray[np.str_]  # (n,), how the lesion box came about, or how the frame was changed before
    is_ultrasound: NDArray[np.bool_]  # (n,), whether it is breast ultrasound


def make_gate_data(lesions: Lesions, clinics: Sequence[Path], rule: InputRule, *, every: int = 1) -> GateData:
    """Cut the inputs that the gate is fitted and measured on, of every so many-th frame, lesion-free ones too.

    Each frame with the drawn box, with the default one, and once more with a box anywhere or after a change that other
    machines and exports make; each other image with the default box and with one anywhere.
    """
    rng = np.random.default_rng(SEED)
    frames: list[tuple[str, str, NDArray[np.float32] | None]] = [
        (str(path), str(clinic), box)
        for path, clinic, box in zip(lesions.paths, lesions.clinic, lesions.boxes, strict=True)
    ]
    for folder in clinics:
        table = read_index(folder)
        normal = table[table["label"] == "normal"]
        frames += [(str(folder / row["image"]), str(row["dataset"]), None) for row in normal.to_dict("records")]
    rows = [
        (crop, clinic, path, kind, True)
        for number, (path, clinic, box) in enumerate(frames[::every])
        for kind, crop in _cut_frame(_find_area(np.asarray(Image.open(path).convert("RGB"))), box, number, rule, rng)
    ]
    rows += [
        (crop, other.kind, f"{other.kind}/{other.name}", kind, False)
        for other in list_others(SEED)
        for kind, crop in _cut_other(_find_area(other.pixels), rule, rng)
    ]
    crops, source, image, kind, is_ultrasound = zip(*rows, strict=True)
    return GateData(np.stack(crops), np.array(source), np.array(image), np.array(kind), np.array(is_ultrasound))


def _find_area(image: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], tuple[float, float]]:
    """Give the B-mode area that the intake would take, and its corner."""
    grey = to_grey(image)
    box = choose_region((), None, grey)[0].box
    x, y = int(box.x0), int(box.y0)
    return grey[y : int(box.y1), x : int(box.x1)], (float(x), float(y))


def _cut_frame(
    area: tuple[NDArray[np.uint8], tuple[float, float]],
    box: NDArray[np.floating] | None,
    number: int,
    rule: InputRule,
    rng: np.random.Generator,
) -> Iterator[tuple[str, NDArray[np.uint8]]]:
    pixels, (x, y) = area
    frame = _frame(pixels)
    wanted = [(DEFAULT, frame, default_roi(frame))]
    if box is not None:
        x0, y0, x1, y1 = (float(edge) for edge in box)
        wanted.append((DRAWN, frame, Roi(x0 - x, y0 - y, x1 - x, y1 - y)))
    if number % 2:
        wanted.append((ANYWHERE, frame, _draw_box(frame, rng)))
    else:
        kind = CHANGES[number // 2 % len(CHANGES)]
        changed = _frame(change_frame(pixels, kind, rng))
        wanted.append((kind, changed, default_roi(changed)))
    yield from _cut(wanted, rule)


def _cut_other(
    area: tuple[NDArray[np.uint8], tuple[float, float]], rule: InputRule, rng: np.random.Generator
) -> Iterator[tuple[str, NDArray[np.uint8]]]:
    if min(area[0].shape) >= SMALLEST:
        frame = _frame(area[0])
        yield from _cut([(DEFAULT, frame, default_roi(frame)), (ANYWHERE, frame, _draw_box(frame, rng))], rule)


def _cut(wanted: Sequence[tuple[str, Frame, Roi]], rule: InputRule) -> Iterator[tuple[str, NDArray[np.uint8]]]:
    for kind, frame, roi in wanted:
        try:
            yield kind, prepare_input(frame, roi, size=rule.size, context=rule.context)
        except ImageError:
            continue


def _frame(pixels: NDArray[np.uint8]) -> Frame:
    return Frame(np.ascontiguousarray(pixels), None, (0.0, 0.0), (1.0, 1.0), "0" * 64)


def _draw_box(frame: Frame, rng: np.random.Generator) -> Roi:
    width, height = frame.width * rng.uniform(0.2, 0.6), frame.height * rng.uniform(0.15, 0.5)
    x, y = rng.uniform(0, frame.width - width), rng.uniform(0, frame.height - height)
    return Roi(x, y, x + width, y + height)


def change_frame(pixels: NDArray[np.uint8], kind: str, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Change a frame as other machines, exports and screenshots would; it may come out in another size."""
    image = Image.fromarray(pixels)
    if kind in {"brighter", "darker"}:
        gain, lift = (rng.uniform(1.2, 1.8), rng.uniform(0, 40)) if kind == "brighter" else (rng.uniform(0.4, 0.8), 0)
        return (pixels * gain + lift).clip(0, 255).astype(np.uint8)
    if kind == "cut by hand":
        height, width = pixels.shape
        top, left = int(rng.uniform(0, 0.3) * height), int(rng.uniform(0, 0.3) * width)
        return pixels[top : int(height * rng.uniform(0.7, 1)), left : int(width * rng.uniform(0.7, 1))]
    if kind == "blurred":
        return np.asarray(image.filter(ImageFilter.GaussianBlur(float(rng.uniform(0.5, 1.5)))))
    if kind == "JPEG quality 30":
        stream = io.BytesIO()
        image.save(stream, "JPEG", quality=30)
        return np.asarray(Image.open(stream))
    factor = 0.5 if kind == "half the size" else 4.0
    size = max(SMALLEST, round(factor * image.width)), max(SMALLEST, round(factor * image.height))
    return np.asarray(image.resize(size, Image.Resampling.BICUBIC))


def pool_crops(engine: Engine, crops: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Give the pooled features of inputs, (n, n_features)."""
    nothing = np.zeros((1, engine.n_features), dtype=np.float32)
    parts = [engine.read(crops[i : i + BATCH], nothing).pooled for i in range(0, len(crops), BATCH)]
    return np.concatenate(parts).astype(np.float64)

"""The applicability gate: what the trained network tells of breast ultrasound and of other images, and its rates."""

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter
from sklearn.linear_model import LogisticRegression

from core.errors import ImageError
from core.imaging import Frame, Roi, default_roi, prepare_input
from core.imaging.decoding.decode import choose_region
from core.imaging.decoding.raster import to_grey
from core.inference.applicability import Gate, Reference
from core.inference.engines.interface import Engine
from core.training.backbone.folder import make_reference
from core.training.clinics import Lesions, read_index
from core.training.intake_rates import Rate
from core.training.not_ultrasound import SMALLEST, list_sources
from models.fusion import ImageHead
from models.input_rule import InputRule

SEED = 20260507
PENALTY = 0.05
CAUTION, REFUSE = 0.0, 0.5
BATCH = 64
CHANGES = ("half the size", "four times the size", "JPEG quality 30", "brighter", "darker", "blurred", "cut by hand")
DRAWN, DEFAULT, ANYWHERE = "box drawn", "no box", "box anywhere"
CHANGED = "resized, brighter, darker, blurred, compressed or cut"


@dataclass(frozen=True)
class GateData:
    """Inputs of the network, of ultrasound and of other things.

    Parameters
    ----------
    crops : ndarray of uint8, (n, size, size)
        The inputs.
    source : ndarray of str, (n,)
        Clinic, or where an image that is no ultrasound comes from.
    kind : ndarray of str, (n,)
        How the lesion box came about, or how the frame was changed before.
    is_ultrasound : ndarray of bool, (n,)
        Whether it is breast ultrasound.
    """

    crops: NDArray[np.uint8]
    source: NDArray[np.str_]
    kind: NDArray[np.str_]
    is_ultrasound: NDArray[np.bool_]


def make_gate_data(lesions: Lesions, clinics: Path | None, rule: InputRule, *, every: int = 1) -> GateData:
    """Cut the inputs that the gate is fitted and measured on.

    Parameters
    ----------
    lesions : Lesions
        Lesions of all clinics.
    clinics : Path, optional
        Folder whose lesion-free frames are taken too.
    rule : InputRule
        How an input is cut.
    every : int
        Takes every so many-th frame.

    Returns
    -------
    GateData
        Each frame with the drawn box, with the default one, and once more with a box anywhere or after a change that
        other machines and exports make; each other image with the default box and with one anywhere.
    """
    rng = np.random.default_rng(SEED)
    frames: list[tuple[str, str, NDArray[np.float32] | None]] = [
        (str(path), str(clinic), box)
        for path, clinic, box in zip(lesions.paths, lesions.clinic, lesions.boxes, strict=True)
    ]
    if clinics is not None:
        table = read_index(clinics)
        normal = table[table["label"] == "normal"]
        frames += [(str(clinics / row["image"]), str(row["dataset"]), None) for row in normal.to_dict("records")]
    rows = [
        (crop, clinic, kind, True)
        for number, (path, clinic, box) in enumerate(frames[::every])
        for kind, crop in _cut_frame(_find_area(np.asarray(Image.open(path).convert("RGB"))), box, number, rule, rng)
    ]
    rows += [
        (crop, source, kind, False)
        for source, images in list_sources(SEED).items()
        for image in images
        for kind, crop in _cut_other(_find_area(image), rule, rng)
    ]
    crops, source, kind, is_ultrasound = zip(*rows, strict=True)
    return GateData(np.stack(crops), np.array(source), np.array(kind), np.array(is_ultrasound))


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
    """Change a frame as other machines, exports and screenshots would.

    Parameters
    ----------
    pixels : ndarray of uint8, (height, width)
        B-mode area.
    kind : str
        One of `CHANGES`.
    rng : Generator
        Chooses how much.

    Returns
    -------
    ndarray of uint8, (height, width)
        Of another size where it was resized or cut.
    """
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


def fit_gate(pooled: NDArray[np.float64], is_ultrasound: NDArray[np.bool_]) -> Gate:
    """Fit the log-odds that an input is no ultrasound: logistic regression with a ridge penalty, both kinds equal.

    Parameters
    ----------
    pooled : ndarray of float64, (n, n_features)
        Pooled features.
    is_ultrasound : ndarray of bool, (n,)
        Which of them are ultrasound.

    Returns
    -------
    Gate
        Cautions beyond log-odds of `CAUTION`, refuses beyond those of `REFUSE`.
    """
    centre, spread = pooled.mean(axis=0), np.maximum(pooled.std(axis=0), 1e-3)
    model = LogisticRegression(C=PENALTY, class_weight="balanced", max_iter=3000)
    model.fit((pooled - centre) / spread, ~is_ultrasound)
    weights = model.coef_[0] / spread
    return Gate(ImageHead(weights, float(model.intercept_[0] - weights @ centre)), CAUTION, REFUSE)


def measure_gate(pooled: NDArray[np.float64], data: GateData, clinic: str) -> list[Rate]:
    """Count what the gate says of a clinic, and of each source of other images, that it was not fitted on.

    Parameters
    ----------
    pooled : ndarray of float64, (n, n_features)
        Features by a network that saw no patient of the clinic.
    data : GateData
        The inputs.
    clinic : str
        The clinic left out.

    Returns
    -------
    list of dict
        "kind", "n", "passed", "cautioned", "refused"; changed frames in one row.
    """
    ours = data.source == clinic
    gate, reference = _fit(pooled, data, ~ours)
    changed = np.isin(data.kind, CHANGES)
    kinds = {kind: data.kind == kind for kind in (DRAWN, DEFAULT, ANYWHERE)} | {CHANGED: changed}
    rows = [_count(f"{clinic}, {kind}", pooled[ours & mask], gate, reference) for kind, mask in kinds.items()]
    for source in np.unique(data.source[~data.is_ultrasound]):
        theirs = data.source == source
        gate, reference = _fit(pooled, data, ~ours & ~theirs)
        rows.append(_count(str(source), pooled[theirs], gate, reference))
    return rows


def _fit(pooled: NDArray[np.float64], data: GateData, fitted: NDArray[np.bool_]) -> tuple[Gate, Reference]:
    gate = fit_gate(pooled[fitted], data.is_ultrasound[fitted])
    return gate, Reference.from_json(make_reference(pooled[fitted & data.is_ultrasound]))


def _count(kind: str, pooled: NDArray[np.float64], gate: Gate, reference: Reference) -> Rate:
    unusual = reference.distance(pooled) > reference.caution
    verdicts = [gate.judge(row) for row in pooled]
    refused = verdicts.count("refused")
    passed = sum(verdict == "ok" and not far for verdict, far in zip(verdicts, unusual, strict=True))
    return {
        "kind": kind,
        "n": len(pooled),
        "passed": passed,
        "cautioned": len(pooled) - passed - refused,
        "refused": refused,
    }

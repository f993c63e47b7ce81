"""The looks of training images: what a bundle stores of them, fitted beside images that are no ultrasound."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter
from sklearn.linear_model import LogisticRegression

from core.imaging import Frame
from core.imaging.decoding.decode import choose_region
from core.imaging.decoding.raster import to_grey
from core.imaging.findings.appearance import FEWEST_IMAGES, fit_appearance, measure_appearance, to_coordinates
from core.imaging.findings.appearance_rules import AppearanceRules, UltrasoundTest, expand
from core.imaging.findings.whole_frame import get_survey
from core.training.not_ultrasound import make_others

BACKBONE, TRAINING = "backbone", "training"
_LIMIT, _OWN_LIMIT = 99.9, 99.0
_PENALTY = 0.1
_DEGRADED_EACH = 4
_DIGITS = 7
Statistics = Mapping[str, float]


def describe_looks(frames: Iterable[Frame], *, seed: int) -> AppearanceRules:
    """Learn from breast ultrasound what ultrasound looks like, beside made images of other things.

    Every fourth frame also counts in a degraded copy (`degrade`), so that another size, gain or compression does not
    make ultrasound look like something else.

    Parameters
    ----------
    frames : iterable of Frame
        At least 50 frames.
    seed : int
        Seed of the degraded copies.

    Returns
    -------
    AppearanceRules
        With the one reference "backbone".
    """
    rng = np.random.default_rng(seed)
    measured, degraded = [], []
    for number, frame in enumerate(frames):
        measured.append(get_survey(frame).appearance)
        if number % _DEGRADED_EACH == 0:
            degraded.append(measure_appearance(degrade(frame.pixels, rng)))
    others = [_measure_area(image) for images in make_others().values() for image in images]
    return AppearanceRules({BACKBONE: fit_appearance(measured)}, fit_ultrasound_test([*measured, *degraded], others))


def extend_looks(rules: AppearanceRules, measured: Sequence[Statistics]) -> AppearanceRules:
    """Add a bundle's own training images to what its backbone's were like.

    Parameters
    ----------
    rules : AppearanceRules
        The backbone's.
    measured : sequence of mapping
        `measure_appearance` of the bundle's training images.

    Returns
    -------
    AppearanceRules
        With the reference "training", where there are at least 50 images; an image counts as ultrasound where it would
        by the backbone's limit, or where it scores no higher than 99 % of the training images.
    """
    if len(measured) < FEWEST_IMAGES:
        return rules
    test = rules.ultrasound
    own = float(np.percentile([test.score(statistics) for statistics in measured], _OWN_LIMIT))
    references = {**rules.references, TRAINING: fit_appearance(measured)}
    return AppearanceRules(references, replace(test, limit=max(test.limit, own)))


def fit_ultrasound_test(ultrasound: Sequence[Statistics], others: Sequence[Statistics]) -> UltrasoundTest:
    """Fit the log-odds that an image is no ultrasound: logistic regression with a ridge penalty, both kinds equal.

    Parameters
    ----------
    ultrasound, others : sequence of mapping
        `measure_appearance` of images that are ultrasound, and of images that are not.

    Returns
    -------
    UltrasoundTest
        Its limit is the score that 99.9 % of the ultrasound images do not exceed.
    """
    here, there = _stack(ultrasound), _stack(others)
    centre, spread = here.mean(axis=0), np.maximum(here.std(axis=0), 1e-3)
    columns = expand((np.vstack([here, there]) - centre) / spread)
    y = np.repeat([0, 1], [len(here), len(there)])
    model = LogisticRegression(C=_PENALTY, class_weight="balanced", max_iter=2000).fit(columns, y)
    weights, bias = model.coef_[0], float(model.intercept_[0])
    limit = float(np.percentile(columns[: len(here)] @ weights + bias, _LIMIT))
    return UltrasoundTest(_round(centre), _round(spread), _round(weights), bias, limit)


def degrade(pixels: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Change a frame as other machines, exports and screenshots would: one of size, gain, blur, smoothing or JPEG.

    Parameters
    ----------
    pixels : ndarray of uint8, (height, width)
        B-mode area.
    rng : Generator
        Chooses what and how much.

    Returns
    -------
    ndarray of uint8, (height, width)
        Of another size where it was resized.
    """
    image, kind = Image.fromarray(pixels), int(rng.integers(0, 5))
    if kind == 0:
        factor = rng.uniform(0.5, 2)
        image = image.resize((round(factor * image.width), round(factor * image.height)), Image.Resampling.BICUBIC)
    elif kind == 1:
        gained = pixels * rng.uniform(0.6, 1.5) + rng.uniform(-20, 20)
        return gained.round().clip(0, 255).astype(np.uint8)
    elif kind == 2:
        image = image.filter(ImageFilter.GaussianBlur(float(rng.uniform(0.3, 1.2))))
    elif kind == 3:
        image = image.filter(ImageFilter.MedianFilter(3))
    else:
        stream = BytesIO()
        image.save(stream, "JPEG", quality=int(rng.integers(50, 92)))
        image = Image.open(stream)
    return np.asarray(image)


def _measure_area(image: NDArray[np.uint8]) -> Statistics:
    """Measure what the intake would take for the B-mode area."""
    grey = to_grey(image)
    box = choose_region((), None, grey)[0].box
    return measure_appearance(grey[int(box.y0) : int(box.y1), int(box.x0) : int(box.x1)])


def _stack(measured: Sequence[Statistics]) -> NDArray[np.float64]:
    return np.array([to_coordinates(statistics) for statistics in measured])


def _round(values: NDArray[np.float64]) -> tuple[float, ...]:
    return tuple(float(f"{value:.{_DIGITS}g}") for value in values)

"""What breast ultrasound looks like in a few numbers, and how far an image lies from those of a reference set."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from core.errors import ImageError
from core.imaging.frame import Frame

STATISTICS = (
    "mean",
    "spread",
    "black_share",
    "white_share",
    "flat_share",
    "grain",
    "grain_level_slope",
    "anisotropy",
    "correlation",
    "axial_reach",
    "lateral_reach",
    "grain_evenness",
    "deep_darkening",
)
_FEWEST_IMAGES = 50
_KEPT_PERCENT, _CAUTION_PERCENT = 98, 99
_REFUSAL_RATIO = 1.25


def measure_appearance(frame: Frame) -> dict[str, float]:
    """Measure grey levels, speckle and depth gain of a frame.

    Parameters
    ----------
    frame : Frame
        The frame.

    Returns
    -------
    dict of str to float
        Value of each of `STATISTICS`: mean and standard deviation of the grey levels; shares of black, white and flat
        pixels; grain (median absolute second difference along the beam, in levels) and its slope over the local level;
        lateral minus axial correlation of neighbours, and their mean; correlation at three pixels along the beam and
        across it; grain of the smoothest tenth of the image over its median; mean level of the upper half minus that
        of the lower. Correlations are those of the detail, with the mean of 9 x 9 pixels taken off.

    Raises
    ------
    ImageError
        If the image is smaller than 16 pixels.
    """
    image = frame.pixels.astype(np.float32)
    if min(image.shape) < 16:
        raise ImageError("The image is smaller than 16 pixels. Upload the whole B-mode image.")
    detail = image - _box_mean(image, 9)
    axial, lateral = _correlation(detail, 1, 0), _correlation(detail, 0, 1)
    fine = np.abs(image[2:, 1:-1] - 2 * image[1:-1, 1:-1] + image[:-2, 1:-1])
    dark, bright = _grain_by_level(image[1:-1, 1:-1], fine)
    half = len(image) // 2
    return {
        "mean": float(image.mean()),
        "spread": float(image.std()),
        "black_share": float((image < 2).mean()),
        "white_share": float((image > 253).mean()),
        "flat_share": float((np.diff(image, axis=1)[:-1] == 0).mean()),
        "grain": float(np.log1p(np.median(fine))),
        "grain_level_slope": float(np.log1p(bright) - np.log1p(dark)),
        "anisotropy": lateral - axial,
        "correlation": (lateral + axial) / 2,
        "axial_reach": _correlation(detail, 3, 0),
        "lateral_reach": _correlation(detail, 0, 3),
        "grain_evenness": _evenness(fine),
        "deep_darkening": float(image[:half].mean() - image[half:].mean()),
    }


def _correlation(detail: np.ndarray, down: int, right: int) -> float:
    """Correlation of pixels some rows and columns apart; `detail` has no local mean."""
    height, width = detail.shape
    product = detail[: height - down, : width - right] * detail[down:, right:]
    return float(product.mean() / max(float(detail.var()), 1e-6))


def _evenness(fine: np.ndarray) -> float:
    """Grain of the smoothest tenth of 12 x 12 blocks over that of the median block."""
    rows, cols = fine.shape[0] // 12, fine.shape[1] // 12
    blocks = fine[: rows * 12, : cols * 12].reshape(rows, 12, cols, 12).mean(axis=(1, 3))
    smooth, middle = np.percentile(blocks, (10, 50))
    return float(smooth / max(middle, 1e-6))


def _box_mean(image: np.ndarray, side: int) -> np.ndarray:
    padded = np.pad(image, (side // 2 + 1, side // 2), mode="edge").cumsum(0, dtype=np.float64).cumsum(1)
    return (padded[side:, side:] - padded[:-side, side:] - padded[side:, :-side] + padded[:-side, :-side]).astype(
        np.float32
    )[: image.shape[0], : image.shape[1]] / side**2


def _grain_by_level(level: np.ndarray, fine: np.ndarray) -> tuple[float, float]:
    """Mean grain among the darker and among the brighter half of the pixels."""
    middle = np.median(level)
    dark, bright = fine[level <= middle], fine[level > middle]
    return float(dark.mean()) if dark.size else 0.0, float(bright.mean()) if bright.size else 0.0


@dataclass(frozen=True)
class AppearanceReference:
    """Appearance of a reference set: centre, spread and two distances by which others are judged.

    Attributes
    ----------
    centre : tuple of float
        Median of each of `STATISTICS`, shares by their square root.
    whitening : tuple of tuple of float
        Matrix W; the distance of x is the length of W (x - centre).
    caution, refusal : float
        Distances beyond which an image is unusual, and beyond which it is no breast ultrasound.
    """

    centre: tuple[float, ...]
    whitening: tuple[tuple[float, ...], ...]
    caution: float
    refusal: float

    def distance(self, statistics: Mapping[str, float]) -> float:
        """Mahalanobis distance of an image from the reference set.

        Parameters
        ----------
        statistics : mapping of str to float
            From `measure_appearance`.

        Returns
        -------
        float
            0 at the centre; about 3 at a typical image of the set (the root of the number of statistics).
        """
        away = _coordinates(statistics) - np.array(self.centre)
        return float(np.linalg.norm(np.array(self.whitening) @ away))


def _coordinates(statistics: Mapping[str, float]) -> np.ndarray:
    """Values in the order of `STATISTICS`; shares by their square root, which evens out their long tails."""
    values = np.array([statistics[name] for name in STATISTICS])
    shares = np.array([name.endswith("share") for name in STATISTICS])
    return np.where(shares, np.sqrt(np.maximum(values, 0)), values)


def fit_appearance(measured: Sequence[Mapping[str, float]]) -> AppearanceReference:
    """Describe a reference set of breast ultrasound images.

    The farthest 2 % are left out of centre and spread, so that single odd images don't widen them, but count in the
    limits.

    Parameters
    ----------
    measured : sequence of mapping
        `measure_appearance` of at least 50 images.

    Returns
    -------
    AppearanceReference
        Caution beyond the 99th percentile of the set's own distances, refusal beyond 1.25 times that.

    Raises
    ------
    ImageError
        If there are too few images.
    """
    if len(measured) < _FEWEST_IMAGES:
        raise ImageError(f"Appearance is learnt from at least {_FEWEST_IMAGES} images; {len(measured)} came.")
    values = np.array([_coordinates(row) for row in measured])
    centre, whitening = _fit_ellipsoid(values)
    distances = np.linalg.norm((values - centre) @ whitening.T, axis=1)
    centre, whitening = _fit_ellipsoid(values[distances <= np.percentile(distances, _KEPT_PERCENT)])
    distances = np.linalg.norm((values - centre) @ whitening.T, axis=1)
    caution = float(np.percentile(distances, _CAUTION_PERCENT))
    rows = tuple(tuple(row) for row in whitening.tolist())
    return AppearanceReference(tuple(centre.tolist()), rows, caution, _REFUSAL_RATIO * caution)


def _fit_ellipsoid(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Median, and the whitening matrix of the scaled covariance with a ridge of 0.05."""
    centre = np.median(values, axis=0)
    scale = np.maximum(values.std(axis=0), 1e-2)
    covariance = np.cov(((values - centre) / scale).T) + 0.05 * np.eye(values.shape[1])
    return centre, np.linalg.inv(np.linalg.cholesky(covariance)) / scale

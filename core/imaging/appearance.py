"""What breast ultrasound looks like in a few numbers, and how far an image lies from those of a reference set."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from core.errors import ImageError

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
SMALLEST = 16
_LEVELS = np.arange(256)
_DETAIL_SIDE = 9
FEWEST_IMAGES = 50
_KEPT_PERCENT, _CAUTION_PERCENT = 98, 99
_REFUSAL_RATIO = 1.5


def measure_appearance(pixels: np.ndarray) -> dict[str, float]:
    """Measure grey levels, speckle and depth gain of a frame.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (height, width)
        B-mode area.

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
    if min(pixels.shape) < SMALLEST:
        raise ImageError(f"The image is smaller than {SMALLEST} pixels. Upload the whole B-mode image.")
    counts = np.bincount(pixels.ravel(), minlength=256)
    mean = float(counts @ _LEVELS / pixels.size)
    detail = _take_off_mean(pixels, _DETAIL_SIDE)
    axial, lateral = _correlation(detail, 1, 0), _correlation(detail, 0, 1)
    middle = pixels[1:-1, 1:-1]
    fine = np.abs(pixels[2:, 1:-1].astype(np.int16) - 2 * middle.astype(np.int16) + pixels[:-2, 1:-1])
    half = len(pixels) // 2
    return {
        "mean": mean,
        "spread": float(np.sqrt(counts @ (_LEVELS - mean) ** 2 / pixels.size)),
        "black_share": float(counts[:2].sum() / pixels.size),
        "white_share": float(counts[254:].sum() / pixels.size),
        "flat_share": float((pixels[:-1, 1:] == pixels[:-1, :-1]).mean()),
        "grain": float(np.log1p(_median(np.bincount(fine.ravel())))),
        "grain_level_slope": _grain_slope(middle, fine),
        "anisotropy": lateral - axial,
        "correlation": (lateral + axial) / 2,
        "axial_reach": _correlation(detail, 3, 0),
        "lateral_reach": _correlation(detail, 0, 3),
        "grain_evenness": _evenness(fine),
        "deep_darkening": float(pixels[:half].mean() - pixels[half:].mean()),
    }


def _take_off_mean(pixels: np.ndarray, side: int) -> np.ndarray:
    """Subtract the mean of `side` x `side` pixels around each, as float32; `side` is odd."""
    before, after = side // 2 + 1, side // 2
    down = np.pad(pixels, ((before, after), (0, 0)), mode="edge").cumsum(axis=0, dtype=np.int32)
    across = np.pad(down[side:] - down[:-side], ((0, 0), (before, after)), mode="edge").cumsum(axis=1, dtype=np.int32)
    return pixels - (across[:, side:] - across[:, :-side]).astype(np.float32) / np.float32(side**2)


def _correlation(detail: np.ndarray, down: int, right: int) -> float:
    """Correlation of pixels some rows and columns apart; `detail` has no local mean."""
    height, width = detail.shape
    here, there = detail[: height - down, : width - right], detail[down:, right:]
    product = np.einsum("ij,ij->i", here, there).mean(dtype=np.float64) / here.shape[1]
    return float(product / max(float(detail.var()), 1e-6))


def _evenness(fine: np.ndarray) -> float:
    """Grain of the smoothest tenth of 12 x 12 blocks over that of the median block."""
    rows, cols = fine.shape[0] // 12, fine.shape[1] // 12
    bands = fine[: rows * 12, : cols * 12].reshape(rows, 12, cols * 12).sum(axis=1, dtype=np.int32)
    smooth, middle = np.percentile(bands.reshape(rows, cols, 12).sum(axis=2) / 144, (10, 50))
    return float(smooth / max(middle, 1e-6))


def _grain_slope(level: np.ndarray, fine: np.ndarray) -> float:
    """Log of the mean grain among the brighter half of the pixels over that among the darker half."""
    counts = np.bincount(level.ravel(), minlength=256)
    sums = np.bincount(level.ravel(), fine.ravel(), minlength=256)
    dark = _median(counts) >= _LEVELS
    means = [float(sums[part].sum() / max(counts[part].sum(), 1)) for part in (dark, ~dark)]
    return float(np.log1p(means[1]) - np.log1p(means[0]))


def _median(counts: np.ndarray) -> float:
    """Median of whole numbers from 0, by how often each occurs."""
    below, n = np.cumsum(counts), int(counts.sum())
    return float(np.searchsorted(below, [(n + 1) // 2, n // 2 + 1]).mean())


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
        away = to_coordinates(statistics) - np.array(self.centre)
        return float(np.linalg.norm(np.array(self.whitening) @ away))


def to_coordinates(statistics: Mapping[str, float]) -> np.ndarray:
    """Put statistics in order, shares by their square root, which evens out their long tails.

    Parameters
    ----------
    statistics : mapping of str to float
        From `measure_appearance`.

    Returns
    -------
    ndarray of float64, shape (13,)
        In the order of `STATISTICS`.
    """
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
        Caution beyond the 99th percentile of the set's own distances, refusal beyond 1.5 times that.

    Raises
    ------
    ImageError
        If there are too few images.
    """
    if len(measured) < FEWEST_IMAGES:
        raise ImageError(f"Appearance is learnt from at least {FEWEST_IMAGES} images; {len(measured)} came.")
    values = np.array([to_coordinates(row) for row in measured])
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

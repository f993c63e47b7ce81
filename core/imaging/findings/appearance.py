"""What breast ultrasound looks like in a few numbers, and how far an image lies from those of a reference set."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from core.errors import ImageError
from core.imaging.findings.running_sums import slide, sum_bands

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
_BLOCK = 12
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
    counts = count_levels(pixels)
    mean = float(counts @ _LEVELS / pixels.size)
    detail = _take_off_mean(pixels, _DETAIL_SIDE)
    variance = max(float(detail.var()), 1e-6)
    axial, lateral = (_covariance(detail, *step) / variance for step in ((1, 0), (0, 1)))
    wide = pixels.astype(np.int16)
    middle = wide[1:-1, 1:-1]
    fine = np.abs(wide[2:, 1:-1] - 2 * middle + wide[:-2, 1:-1])
    half = len(pixels) // 2
    return {
        "mean": mean,
        "spread": float(np.sqrt(counts @ (_LEVELS - mean) ** 2 / pixels.size)),
        "black_share": float(counts[:2].sum() / pixels.size),
        "white_share": float(counts[254:].sum() / pixels.size),
        "flat_share": float(np.count_nonzero(pixels[:-1, 1:] == pixels[:-1, :-1]) / pixels[:-1, 1:].size),
        "grain": float(np.log1p(_median(np.bincount(fine.ravel())))),
        "grain_level_slope": _grain_slope(pixels[1:-1, 1:-1], fine),
        "anisotropy": lateral - axial,
        "correlation": (lateral + axial) / 2,
        "axial_reach": _covariance(detail, 3, 0) / variance,
        "lateral_reach": _covariance(detail, 0, 3) / variance,
        "grain_evenness": _evenness(fine),
        "deep_darkening": float(pixels[:half].mean() - pixels[half:].mean()),
    }


def count_levels(pixels: np.ndarray) -> np.ndarray:
    """Count how often each grey level occurs.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (height, width)
        Grey levels.

    Returns
    -------
    ndarray of int64, shape (256,)
        Pixels of each level.
    """
    return np.array(Image.fromarray(pixels).histogram())


def _take_off_mean(pixels: np.ndarray, side: int) -> np.ndarray:
    """Subtract the mean of `side` x `side` pixels around each, as float32; `side` is odd and at most 16."""
    padded = np.pad(pixels, side // 2, mode="edge").astype(np.uint16)
    sums = slide(np.add, slide(np.add, padded, side).T, side).T
    return pixels - sums.astype(np.float32) / np.float32(side**2)


def _covariance(detail: np.ndarray, down: int, right: int) -> float:
    """Covariance of pixels some rows and columns apart; `detail` has no local mean."""
    height, width = detail.shape
    here, there = detail[: height - down, : width - right], detail[down:, right:]
    return float(np.einsum("ij,ij->i", here, there).mean(dtype=np.float64) / here.shape[1])


def _evenness(fine: np.ndarray) -> float:
    """Grain of the smoothest tenth of the whole blocks of 12 x 12 pixels over that of the median block."""
    rows, cols = (side // _BLOCK for side in fine.shape)
    blocks = sum_bands(sum_bands(fine[: rows * _BLOCK, : cols * _BLOCK], _BLOCK).T, _BLOCK)
    smooth, middle = np.percentile(blocks / _BLOCK**2, (10, 50))
    return float(smooth / max(middle, 1e-6))


def _grain_slope(level: np.ndarray, fine: np.ndarray) -> float:
    """Log of the mean grain among the brighter half of the pixels over that among the darker half."""
    dark = level <= _median(count_levels(level))
    n, total = int(np.count_nonzero(dark)), int(fine.sum(dtype=np.int64))
    among = int((fine * dark).sum(dtype=np.int64))
    return float(np.log1p((total - among) / max(dark.size - n, 1)) - np.log1p(among / max(n, 1)))


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

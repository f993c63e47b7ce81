"""Writing that is faint, turned by 90 degrees or a code of bars: found by strokes sharper than tissue.

A stroke stands out from the pixels two to its left and right by more than these usually differ nearby. Tissue has few
such strokes, letters many, along a line of writing or down a turned one. Faint letters on coarse tissue are still
missed, so that only a person can say that a copy holds none.
"""

import numpy as np

from core.imaging.findings.masks import grow, open_mask

_SIDE, _NEARBY = 2, 33
_LEAST_CONTRAST, _TIMES_NEARBY = 5, 2.5
_LETTER, _BAR = 3, 25  # shortest strokes
_LINE, _TURNED = (16, 48), (48, 16)
_LEAST_IN_LINE, _LEAST_TURNED, _LEAST_BARS = 6, 7, 4
_ROOM = 17
_HALF = 0.5
_BLACK, _LIT, _MOSTLY, _BROAD = 2, 4, 0.4, 9


def find_faint_writing(grey: np.ndarray, flow: np.ndarray) -> np.ndarray:
    """Mark lines of writing, upright or turned, and codes of bars, with 8 pixels around; bool (height, width).

    `flow` marks where no stroke is a letter's.
    """
    if min(grey.shape) < _NEARBY:
        return np.zeros(grey.shape, bool)
    sharp, sharp_across = _find_sharp(grey) & ~flow, _find_sharp(grey.T) & ~flow.T
    letters = _keep_runs(sharp, _LETTER)
    tops = letters & ~_shift(letters, 1, 0) & ~_shift(letters, 0, 1)
    written = _keep_dense(letters, tops, _LINE, _LEAST_IN_LINE) | _keep_dense(letters, tops, _TURNED, _LEAST_TURNED)
    bars, rungs = _find_bars(_keep_runs(sharp, _BAR)), _find_bars(_keep_runs(sharp_across, _BAR)).T
    return grow(written | bars | rungs, _ROOM)


def find_stray(grey: np.ndarray) -> np.ndarray:
    """Mark what is drawn on a screen's black, beside tissue; shape (height, width)."""
    from scipy.ndimage import uniform_filter  # noqa: PLC0415 - only copies without the patient need it

    black = uniform_filter((grey <= _BLACK).astype(np.float32), _NEARBY) > _MOSTLY
    return (grey > _BLACK) & black & ~grow(open_mask(grey > _LIT, _BROAD), _BROAD)


def _find_sharp(grey: np.ndarray) -> np.ndarray:
    """Mark pixels that are brighter than both neighbours across, by more than pixels nearby differ."""
    from scipy.ndimage import uniform_filter  # noqa: PLC0415 - only copies without the patient need it

    values = grey.astype(np.float32)
    padded = np.pad(values, ((0, 0), (_SIDE, _SIDE)), mode="edge")
    left, right = padded[:, : -2 * _SIDE], padded[:, 2 * _SIDE :]
    usual = uniform_filter(np.abs(values - left), _NEARBY)
    sharp: np.ndarray = values - np.maximum(left, right) > np.maximum(_TIMES_NEARBY * usual, _LEAST_CONTRAST)
    return sharp


def _keep_runs(marks: np.ndarray, length: int) -> np.ndarray:
    """Keep marks that run down at least so far, an odd number of pixels."""
    from scipy.ndimage import maximum_filter1d, minimum_filter1d  # noqa: PLC0415 - only copies need it

    runs: np.ndarray = maximum_filter1d(minimum_filter1d(marks.view(np.uint8), length, axis=0), length, axis=0) > 0
    return runs


def _find_bars(bars: np.ndarray) -> np.ndarray:
    """Keep long strokes where rows cross many of them."""
    return _keep_dense(bars, bars & ~_shift(bars, 0, 1), _LINE, _LEAST_BARS * _LINE[0])


def _keep_dense(strokes: np.ndarray, counted: np.ndarray, window: tuple[int, int], least: int) -> np.ndarray:
    """Keep strokes in windows that hold at least so many counted pixels."""
    from scipy.ndimage import maximum_filter, uniform_filter  # noqa: PLC0415 - only copies need it

    held = uniform_filter(counted.astype(np.float32), window, mode="constant") * (window[0] * window[1])
    dense: np.ndarray = maximum_filter(held > least - _HALF, window, mode="constant")
    return strokes & dense


def _shift(marks: np.ndarray, down: int, right: int) -> np.ndarray:
    """Move marks down and right."""
    height, width = marks.shape
    return np.pad(marks, ((down, 0), (right, 0)))[:height, :width]

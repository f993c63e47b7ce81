"""Graphics by their one grey level: what a machine draws is of exactly one, where tissue spreads over many.

Blind where pixels went through a lossy compression, and for the darkest levels, at which tissue is clipped.
"""

import numpy as np

from core.imaging.findings.masks import grow

_BLOCK, _BAND = 8, 32  # pixels; blocks
_WINDOWS = ((3, 6), (6, 3))  # blocks: a line of writing, or a turned one
_LOWEST = 13
_NEIGHBOURS = (-3, -2, -1, 1, 2, 3)  # levels; grey maps leave some out
_DEVIATIONS, _TIMES, _LEAST, _MOST_SHARE, _DARKER = 6.0, 2.0, 14, 0.4, 0.25
_REACH = 9


def find_drawn_levels(grey: np.ndarray) -> np.ndarray:
    """Mark pixels of a grey level that many more pixels nearby have than the levels beside it; bool (height, width).

    What lies within 4 pixels of such strokes is marked too.
    """
    found = np.zeros(grey.shape, bool)
    whole = np.bincount(grey.ravel(), minlength=256).astype(np.float32)
    usual = np.maximum(
        (whole + 1) / (_find_beside(whole) + 1), 1
    )  # levels that a machine's grey map prefers everywhere
    margin = 2 * max(map(max, _WINDOWS))
    for top in range(0, grey.shape[0], _BAND * _BLOCK):
        first = max(0, top - margin * _BLOCK)
        band = grey[first : top + (_BAND + margin) * _BLOCK]
        found[top : top + _BAND * _BLOCK] = _mark(band, usual)[top - first : top - first + _BAND * _BLOCK]
    return grow(found, _REACH)


def _mark(grey: np.ndarray, usual: np.ndarray) -> np.ndarray:
    """Mark the pixels of a band, by counts of each level in blocks."""
    from scipy.ndimage import maximum_filter, uniform_filter  # noqa: PLC0415 - only copies without the patient need it

    rows, columns = np.arange(grey.shape[0]) // _BLOCK, np.arange(grey.shape[1]) // _BLOCK
    shape = int(rows[-1]) + 1, int(columns[-1]) + 1, 256
    places = ((rows[:, None] * shape[1] + columns) * 256 + grey).ravel()
    counts = np.bincount(places, minlength=shape[0] * shape[1] * 256).reshape(shape).astype(np.float32)
    marks = np.zeros(grey.shape, bool)
    for window in _WINDOWS:
        held = uniform_filter(counts, (*window, 1), mode="constant") * (window[0] * window[1])
        expected = _find_beside(held) * usual
        darker = np.cumsum(held, axis=2) - held
        pixels = held.sum(axis=2, keepdims=True)
        hit = (held >= _LEAST) & (held - expected > _DEVIATIONS * np.sqrt(expected + 1)) & (held > _TIMES * expected)
        hit &= (held < _MOST_SHARE * pixels) & (darker > _DARKER * pixels)
        hit[..., :_LOWEST] = False
        near = maximum_filter(hit, (*window, 1), mode="constant")
        marks |= near[rows[:, None], columns, grey]
    return marks


def _find_beside(counts: np.ndarray) -> np.ndarray:
    """Give the highest count of the levels beside each."""
    reach = max(_NEIGHBOURS)
    padded = np.pad(counts, [(0, 0)] * (counts.ndim - 1) + [(reach, reach)], mode="reflect")
    return np.maximum.reduce([padded[..., reach + at : reach + at + 256] for at in _NEIGHBOURS])

"""Codes of bars or squares, and dense writing: bright or dark with nothing between, changing every few pixels."""

import numpy as np

from core.imaging.findings.masks import grow

_SIDE, _CONTRAST = 25, 50
_BETWEEN, _EITHER, _CHANGES = 0.12, 0.2, 0.12  # shares of the pixels


def find_codes(grey: np.ndarray) -> np.ndarray:
    """Mark squares of 25 pixels that hold a code, with their rim, in a grey frame; bool (height, width)."""
    from scipy.ndimage import maximum_filter, minimum_filter, uniform_filter  # noqa: PLC0415 - only copies need it

    levels = grey.astype(np.int16)
    lowest = minimum_filter(levels, _SIDE)
    span, above = maximum_filter(levels, _SIDE) - lowest, levels - lowest
    between = uniform_filter(((4 * above > span) & (4 * above < 3 * span)).astype(np.float32), _SIDE)
    bright = 2 * above > span
    share = uniform_filter(bright.astype(np.float32), _SIDE)
    across, down = (
        uniform_filter((np.diff(bright, axis=axis, prepend=False) != 0).astype(np.float32), _SIDE) for axis in (1, 0)
    )
    held = (span >= _CONTRAST) & (between < _BETWEEN) & (np.maximum(across, down) > _CHANGES)
    held &= (share > _EITHER) & (share < 1 - _EITHER)
    return grow(held, _SIDE)

"""Writing on a loop by what time tells: it stays as it is while the tissue below moves."""

from collections.abc import Sequence

import numpy as np

from core.imaging.findings.masks import grow, open_mask

_TOGETHER = 4  # frames: writing that stands for a while only
_NEARBY, _MOVING = 33, 6
_CHANGE, _SHARE = 1, 0.15  # levels, and share of the usual change nearby, that a drawn pixel keeps within
_DARK, _LIT = 12, 45
_BROAD, _DENSE, _LEAST, _ROOM = 13, 17, 30, 7


def find_still_writing(frames: Sequence[np.ndarray]) -> np.ndarray:
    """Mark strokes, bright or dark, that stay the same over all frames of a loop or over some in a row.

    bool (height, width), with what lies within 3 pixels of them; none where the loop does not move.
    """
    found = np.zeros(frames[0].shape, bool)
    parts = [frames[at : at + _TOGETHER] for at in range(0, len(frames) - _TOGETHER + 1, _TOGETHER)]
    for part in [*parts, frames] if len(parts) > 1 else parts:
        found |= _find_still(np.minimum.reduce(part).astype(np.int16), np.maximum.reduce(part).astype(np.int16))
    return found


def _find_still(low: np.ndarray, high: np.ndarray) -> np.ndarray:
    from scipy.ndimage import maximum_filter, uniform_filter  # noqa: PLC0415 - only copies without the patient need it

    change, middle = high - low, (low + high) / 2
    usual, around = (uniform_filter(one.astype(np.float32), _NEARBY) for one in (change, middle))
    still = (change <= np.maximum(_CHANGE, _SHARE * usual)) & (usual > _MOVING)
    still &= (middle > _DARK) | (around > _LIT)  # black beside black is no writing
    still &= ~open_mask(still, _BROAD)
    held = uniform_filter(still.astype(np.float32), _DENSE) * _DENSE**2
    return grow(still & (maximum_filter(held, _DENSE) > _LEAST), _ROOM)

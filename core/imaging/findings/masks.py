"""Masks grown, shrunk and opened by squares of an odd side, and the boxes of their pieces."""

import numpy as np

from core.imaging.frame import Roi


def grow(mask: np.ndarray, side: int) -> np.ndarray:
    """Mark what lies within a square around a marked pixel."""
    from scipy.ndimage import maximum_filter  # noqa: PLC0415 - only copies without the patient need it

    return np.asarray(maximum_filter(mask, side, mode="nearest"))


def shrink(mask: np.ndarray, side: int) -> np.ndarray:
    """Mark where a whole square is marked."""
    return ~grow(~mask, side)


def open_mask(mask: np.ndarray, side: int) -> np.ndarray:
    """Keep what is at least as broad as a square."""
    return grow(shrink(mask, side), side)


def bound_pieces(mask: np.ndarray) -> tuple[Roi, ...]:
    """Give the boxes of a mask's 8-connected pieces."""
    from scipy.ndimage import find_objects, label  # noqa: PLC0415 - only copies without the patient need it

    return tuple(
        Roi(float(columns.start), float(rows.start), float(columns.stop), float(rows.stop))
        for rows, columns in find_objects(label(mask, np.ones((3, 3)))[0])
    )

"""Which colours 8-bit samples hold, told by their values: most pixels of an ultrasound frame are grey."""

import numpy as np

_ALIKE, _NEARLY_ALL = 4, 0.9
TOLD = "The file's colours are not stored as it states ({}); they are shown as their values tell."


def find_arrangement(samples: np.ndarray, photometric: str, planar: int) -> tuple[str, int] | None:
    """Find the arrangement of a frame's samples in which most of its pixels are grey."""
    stated, other = ("RGB", "YBR_FULL") if photometric == "RGB" else ("YBR_FULL", "RGB")
    for one, planes in ((stated, planar), (other, planar), (stated, 1 - planar), (other, 1 - planar)):
        pixels = samples.reshape(3, -1).T if planes else samples.reshape(-1, 3)
        if (_is_grey_rgb if one == "RGB" else _is_grey_ybr)(pixels):
            return one, planes
    return None


def _is_grey_rgb(pixels: np.ndarray) -> bool:
    spread = pixels.max(axis=1).astype(np.int16) - pixels.min(axis=1)
    return bool((spread <= _ALIKE).mean() >= _NEARLY_ALL)


def _is_grey_ybr(pixels: np.ndarray) -> bool:
    return bool((np.abs(pixels[:, 1:].astype(np.int16) - 128).max(axis=1) <= _ALIKE).mean() >= _NEARLY_ALL)

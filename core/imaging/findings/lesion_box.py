"""A first guess of the lesion box from grey levels alone, for the user to accept or to move."""

import numpy as np
from PIL import Image

from core.imaging.findings.area import grow_patch
from core.imaging.frame import Frame, Roi

_SIDE = 72
_LEVEL = 0.45
_SHARES = (0.01, 0.45)
_PAD = 0.06


def default_roi(frame: Frame) -> Roi:
    """Propose a lesion box: the patch that is darkest for its depth, near the middle; else the middle itself.

    The frame is reduced to 72 pixels, each row is compared with its own median (deep rows are darker anyway), and the
    comparison is weighted towards the middle of the width and the upper two thirds of the depth.

    Parameters
    ----------
    frame : Frame
        The frame.

    Returns
    -------
    Roi
        A box to start from; no finding.
    """
    scale = _SIDE / max(frame.width, frame.height)
    size = max(8, round(frame.width * scale)), max(8, round(frame.height * scale))
    small = np.asarray(Image.fromarray(frame.pixels).resize(size, Image.Resampling.BOX), np.float32)
    dark = _smooth(np.median(small, axis=1, keepdims=True) - small) * _prior(small.shape)
    seed = np.unravel_index(int(np.argmax(dark)), dark.shape)
    patch = grow_patch(dark > _LEVEL * dark[seed], (int(seed[0]), int(seed[1])))
    low, high = _SHARES
    if dark[seed] <= 0 or not low < patch.mean() < high:
        return Roi(frame.width / 3, frame.height * 0.20, frame.width * 2 / 3, frame.height * 0.55)
    rows, cols = np.flatnonzero(patch.any(axis=1)), np.flatnonzero(patch.any(axis=0))
    step_x, step_y = frame.width / size[0], frame.height / size[1]
    pad = _PAD * max((cols[-1] + 1 - cols[0]) * step_x, (rows[-1] + 1 - rows[0]) * step_y)
    return Roi(
        max(1.0, cols[0] * step_x - pad),
        max(1.0, rows[0] * step_y - pad),
        min(frame.width - 1.0, (cols[-1] + 1) * step_x + pad),
        min(frame.height - 1.0, (rows[-1] + 1) * step_y + pad),
    )


def _smooth(image: np.ndarray) -> np.ndarray:
    """Mean of 5 x 5 pixels."""
    padded = np.pad(image, 2, mode="edge")
    rows = np.sum([padded[row : row + image.shape[0]] for row in range(5)], axis=0)
    return np.sum([rows[:, col : col + image.shape[1]] for col in range(5)], axis=0) / 25


def _prior(shape: tuple[int, ...]) -> np.ndarray:
    """Weight of each pixel: highest in the middle of the width at 38 % of the depth."""
    y = (np.arange(shape[0]) + 0.5) / shape[0]
    x = (np.arange(shape[1]) + 0.5) / shape[1]
    return np.exp(-0.5 * (((y[:, None] - 0.38) / 0.22) ** 2 + ((x - 0.5) / 0.25) ** 2))

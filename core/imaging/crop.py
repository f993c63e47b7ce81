"""From a frame and a lesion box to the square that a network sees: the only crop and the only resize."""

import numpy as np
from PIL import Image

from core.errors import ImageError
from core.imaging.frame import Frame, Roi

ROUNDING = 2


def prepare_input(frame: Frame, roi: Roi, *, size: int, context: float) -> np.ndarray:
    """Cut a square around the lesion box and resize it.

    The square is centred on the box, its side is `context` times the box's longer side; what lies beyond the frame is
    black. Resized once, bilinear with antialiasing, from the exact (fractional) square.

    Parameters
    ----------
    frame : Frame
        The frame.
    roi : Roi
        Lesion box in the frame's pixels; it must overlap the frame and be no larger than it.
    size : int
        Side of the result in pixels.
    context : float
        Side of the square per longer side of the box, at least 1.

    Returns
    -------
    ndarray of uint8, shape (size, size)
        Grey levels.

    Raises
    ------
    ImageError
        If the box lies outside the frame or is larger than it.
    """
    if roi.x1 <= 0 or roi.y1 <= 0 or roi.x0 >= frame.width or roi.y0 >= frame.height:
        raise ImageError("The lesion box lies outside the image. Draw it on the lesion.")
    if roi.width > frame.width + ROUNDING or roi.height > frame.height + ROUNDING:
        raise ImageError(
            f"The lesion box ({roi.width:.0f} x {roi.height:.0f} pixels) is larger than the image "
            f"({frame.width} x {frame.height}). Draw it on the lesion."
        )
    half = context * max(roi.width, roi.height) / 2
    centre_x, centre_y = (roi.x0 + roi.x1) / 2, (roi.y0 + roi.y1) / 2
    left, top = int(np.floor(centre_x - half)) - 1, int(np.floor(centre_y - half)) - 1
    right, bottom = int(np.ceil(centre_x + half)) + 1, int(np.ceil(centre_y + half)) + 1
    part = Image.fromarray(frame.pixels).crop((left, top, right, bottom))
    square = (centre_x - half - left, centre_y - half - top, centre_x + half - left, centre_y + half - top)
    return np.asarray(part.resize((size, size), Image.Resampling.BILINEAR, box=square))

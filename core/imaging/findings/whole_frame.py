"""What the whole of a frame shows, found in one go: grey levels, calipers, words, the seam of two views.

Only numpy and Pillow, since it runs in the decoder's process.
"""

import numpy as np
from PIL import Image

from core.imaging.findings.overlays import find_crosses, find_seam, find_words
from core.imaging.frame import Frame, Survey

_TAILS = (0.01, 0.99)


def survey_pixels(pixels: np.ndarray) -> Survey:
    """Find what does not depend on the lesion box."""
    shares = np.cumsum(Image.fromarray(pixels).histogram()) / pixels.size
    low, high = (int(level) for level in np.searchsorted(shares, _TAILS))
    return Survey(
        levels=(low, high),
        crosses=find_crosses(pixels),
        words=find_words(pixels),
        seam=find_seam(pixels),
    )


def get_survey(frame: Frame) -> Survey:
    """Give a frame's survey: the decoder's, or a new one for pixels that did not come from there."""
    return frame.survey or survey_pixels(frame.pixels)

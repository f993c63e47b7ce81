"""How a frame lies in the segmenter's square input, and the way back; no torch."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image


@dataclass(frozen=True)
class Letterbox:
    """How a frame lies in the square input: its longer side fills it, its aspect is kept, the rest is black."""

    # width, height: of the frame, pixels
    width: int
    height: int
    size: int  # side of the square, pixels

    @property
    def inner(self) -> tuple[int, int]:
        """Width and height of the frame within the square, pixels."""
        scale = self.size / max(self.width, self.height)
        return max(1, round(self.width * scale)), max(1, round(self.height * scale))

    @property
    def corner(self) -> tuple[int, int]:
        """Left and top edge of the frame within the square, pixels."""
        width, height = self.inner
        return (self.size - width) // 2, (self.size - height) // 2

    def apply(self, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Put the frame into the square, resized once, bilinear with antialiasing; uint8 (size, size)."""
        square = np.zeros((self.size, self.size), dtype=np.uint8)
        (x, y), (width, height) = self.corner, self.inner
        resized = Image.fromarray(pixels).resize((width, height), Image.Resampling.BILINEAR)
        square[y : y + height, x : x + width] = np.asarray(resized)
        return square

    def cut(self, square: NDArray[np.float32]) -> NDArray[np.float32]:
        """Give the frame's part of a map over the square, float32 (inner height, inner width)."""
        (x, y), (width, height) = self.corner, self.inner
        return square[y : y + height, x : x + width]

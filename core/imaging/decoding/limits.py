"""The limits that the decoder keeps, as one record that travels to its process."""

from dataclasses import dataclass

from core.errors import ImageError

WAIT_TIMES = 6  # a file may wait so many times as long as it may compute: the machine has others to serve
NICENESS = 10  # how far a cohort's images, and files that are dear to decode, stand back behind others


@dataclass(frozen=True)
class Limits:
    """Limits of one decoding; the settings of the same names say what each bounds."""

    max_bytes: int
    max_pixels: int
    max_side: int
    max_frames: int
    max_items: int

    def check_size(self, width: int, height: int) -> None:
        """Refuse an image that is larger than the limits, before its pixels are decoded."""
        if width < 1 or height < 1:
            raise ImageError("The file's header states an image without pixels; it is damaged. Export it again.")
        if max(width, height) > self.max_side or width * height > self.max_pixels:
            raise ImageError(
                f"The image is {width} x {height} pixels; at most {self.max_side} a side and "
                f"{self.max_pixels / 1e6:.0f} million in all can be read. Upload the original ultrasound frame."
            )

    def check_frames(self, count: int) -> None:
        """Refuse a loop with more frames than the limit."""
        if count < 1:
            raise ImageError("The file's header states no frames; it is damaged. Export it again.")
        if count > self.max_frames:
            raise ImageError(
                f"The file holds {count} frames; at most {self.max_frames} can be read. Export a shorter loop."
            )

    def check_index(self, index: int, count: int) -> None:
        """Refuse a frame number outside the loop."""
        if not 0 <= index < count:
            raise ImageError(f"Frame {index + 1} was asked for, but the file holds {count}. Choose one of these.")

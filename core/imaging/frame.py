"""What an image file becomes: a frame, a region of interest on it, and the list of what a file holds."""

from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from core.errors import ImageError


@dataclass(frozen=True)
class Roi:
    """A box in pixels; x runs right, y runs down, and 0 is the outer edge of the first pixel.

    Attributes
    ----------
    x0, y0, x1, y1 : float
        Edges, finite, `x0 < x1` and `y0 < y1`.
    """

    x0: float
    y0: float
    x1: float
    y1: float

    def __post_init__(self) -> None:
        edges = (self.x0, self.y0, self.x1, self.y1)
        if not np.isfinite(edges).all():
            raise ImageError("The lesion box has an edge that is not a number. Draw it again.")
        if not (self.x0 < self.x1 and self.y0 < self.y1):
            raise ImageError(
                "The lesion box is empty: its right edge must lie right of its left, its bottom below its top."
            )

    @property
    def width(self) -> float:
        """Width in pixels."""
        return self.x1 - self.x0

    @property
    def height(self) -> float:
        """Height in pixels."""
        return self.y1 - self.y0

    def rounded(self) -> "Roi":
        """Give the box with its edges at whole pixels."""
        return Roi(round(self.x0), round(self.y0), round(self.x1), round(self.y1))


@dataclass(frozen=True)
class Survey:
    """What the whole of a frame shows, whatever the lesion box: found once, when it is decoded."""

    levels: tuple[int, int]  # grey levels that 1 % and 99 % of the pixels do not exceed
    crosses: tuple[tuple[int, int], ...]  # (x, y) of each caliper cross
    words: tuple[Roi, ...]  # where words are burned in
    seam: float | None  # x of the seam between two views side by side; None where there is one view


@dataclass(frozen=True)
class Frame:
    """The B-mode area of one frame: grey pixels and their scale, nothing of the patient.

    Attributes
    ----------
    pixels : ndarray of uint8, shape (height, width)
        Grey levels, read-only; pixels are square.
    mm_per_px : float or None
        Edge of a pixel in millimetres; None where the file has no scale that can be trusted.
    origin : tuple of float
        (x, y) of the area's corner in pixels of the source image.
    source_scale : tuple of float
        Pixels of this frame per pixel of the source image, along x and y.
    sha256 : str
        Of the uploaded bytes.
    device : str or None
        Manufacturer, model and transducer frequency, where the file names them.
    notes : tuple of str
        Sentences for the user: what was clamped, ignored or flattened.
    frame_index, frame_count : int
        Which frame of how many the source holds.
    colour : ndarray of bool, shape (height, width), or None
        Pixels of strong colour (Doppler, elastography, coloured calipers); None where there are none.
    is_ultrasound : bool
        Whether the file itself says that it is ultrasound, as DICOM does.
    side : {"L", "R", "LR", ""}
        Breast that the file's header names, "LR" where it contradicts itself.
    survey : Survey or None
        What the decoder found in the pixels; None for pixels from elsewhere, see `findings.whole_frame.get_survey`.
    """

    pixels: np.ndarray
    mm_per_px: float | None
    origin: tuple[float, float]
    source_scale: tuple[float, float]
    sha256: str
    device: str | None = None
    notes: tuple[str, ...] = ()
    frame_index: int = 0
    frame_count: int = 1
    colour: np.ndarray | None = field(default=None, repr=False)
    is_ultrasound: bool = False
    side: str = ""
    survey: Survey | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if self.pixels.ndim != 2 or self.pixels.dtype != np.uint8 or not self.pixels.size:
            raise ImageError("A frame needs grey pixels of 8 bits in rows and columns.")
        if self.mm_per_px is not None and not 0 < self.mm_per_px < np.inf:
            raise ImageError("A frame's scale must be a positive number of millimetres per pixel, or not known.")
        if self.colour is not None and self.colour.shape != self.pixels.shape:
            raise ImageError("A frame's colour map must have the shape of its pixels.")
        self.pixels.flags.writeable = False

    @property
    def width(self) -> int:
        """Width in pixels."""
        return self.pixels.shape[1]

    @property
    def height(self) -> int:
        """Height in pixels."""
        return self.pixels.shape[0]

    def to_frame(self, roi: Roi) -> Roi:
        """Map a box from pixels of the source image to pixels of this frame.

        Parameters
        ----------
        roi : Roi
            Box in the source image.

        Returns
        -------
        Roi
            The same box in this frame; it may reach beyond the frame.
        """
        (ox, oy), (sx, sy) = self.origin, self.source_scale
        return Roi((roi.x0 - ox) * sx, (roi.y0 - oy) * sy, (roi.x1 - ox) * sx, (roi.y1 - oy) * sy)

    def to_source(self, roi: Roi) -> Roi:
        """Map a box from pixels of this frame to pixels of the source image.

        Parameters
        ----------
        roi : Roi
            Box in this frame.

        Returns
        -------
        Roi
            The same box in the source image.
        """
        (ox, oy), (sx, sy) = self.origin, self.source_scale
        return Roi(roi.x0 / sx + ox, roi.y0 / sy + oy, roi.x1 / sx + ox, roi.y1 / sy + oy)


@dataclass(frozen=True)
class Region:
    """A B-mode area that the file names, in pixels of the source image.

    Attributes
    ----------
    box : Roi
        The area.
    mm_per_px : tuple of float or None
        Millimetres per source pixel along x and y; None where they are not given in centimetres.
    """

    box: Roi
    mm_per_px: tuple[float, float] | None = None


@dataclass(frozen=True)
class Item:
    """A file within an archive, without its name: names of files often hold names of patients.

    Attributes
    ----------
    label : str
        Position, format and size, for a list to choose from.
    format : str
        Name of the format.
    n_bytes : int
        Unpacked size in bytes.
    """

    label: str
    format: str
    n_bytes: int


@dataclass(frozen=True)
class ImageInfo:
    """What a file holds, found without keeping its pixels.

    Attributes
    ----------
    format : str
        "DICOM", "PNG", "JPEG", "BMP", "TIFF" or "ZIP".
    size : tuple of int or None
        Width and height of the source image in pixels; None for an archive.
    frame_count : int
        Frames of a loop or pages of a TIFF.
    regions : tuple of Region
        B-mode areas that the file names; empty where it names none, and the area is then found in the pixels.
    views : tuple of Region
        Views side by side that the pixels of a file without named regions show; empty where they show a single one.
    items : tuple of Item
        Files of an archive.
    device : str or None
        Manufacturer, model and transducer frequency, where the file names them.
    notes : tuple of str
        Sentences for the user.
    """

    format: str
    size: tuple[int, int] | None
    frame_count: int = 1
    regions: tuple[Region, ...] = ()
    views: tuple[Region, ...] = ()
    items: tuple[Item, ...] = ()
    device: str | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Finding:
    """One remark on whether a frame and its box suit the model.

    Attributes
    ----------
    status : {"ok", "note", "caution", "refused"}
        Whether the model may be asked; a note says something of the file that does not touch the estimate.
    sentence : str
        What was seen and what to do.
    name : str
        Short name of the check, for tables.
    """

    status: Literal["ok", "note", "caution", "refused"]
    sentence: str
    name: str


@dataclass(frozen=True)
class Choice:
    """Which part of a file is asked for; None leaves the choice to the decoder."""

    index: int | None = None
    region: int | None = None
    item: int | None = None


@dataclass(frozen=True)
class CleanedFile:
    """A copy that names nobody, and what stands in place of what.

    Attributes
    ----------
    data : bytes
        DICOM file, RLE lossless, 8 bits, grey or RGB.
    hidden : tuple of Roi
        Where words were blackened within the B-mode areas.
    flow : tuple of Roi
        Where coloured flow was kept: letters of its own colours can't be told from it.
    replaced : dict of str to tuple of str
        By keyword, the old and the new value: for the keeper of the key alone.
    is_reviewed : bool
        Whether a person has looked at it, so that it says that no writing is left (BurnedInAnnotation).
    """

    data: bytes
    hidden: tuple[Roi, ...]
    flow: tuple[Roi, ...]
    replaced: dict[str, tuple[str, str]]
    is_reviewed: bool = False

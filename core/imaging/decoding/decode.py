"""From a file's bytes to its list of contents or the pixels of its B-mode area; runs in the decoder's process."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from PIL import Image

from core.errors import ImageError
from core.imaging.decoding.dicom.opening import open_dicom
from core.imaging.decoding.dicom.side import read_side
from core.imaging.decoding.dicom.source import DicomSource
from core.imaging.decoding.dicom.ultrasound import find_regions, name_device, read_aspect, read_spacing
from core.imaging.decoding.formats import detect_format
from core.imaging.decoding.limits import Limits
from core.imaging.decoding.raster import decode_raster, describe_raster, to_grey
from core.imaging.decoding.zip_files import list_items, read_item
from core.imaging.findings.area import find_bmode_area
from core.imaging.findings.colour import find_strong_colour
from core.imaging.findings.sector import blacken_corners
from core.imaging.findings.views import find_views
from core.imaging.findings.whole_frame import survey_pixels
from core.imaging.frame import Choice, ImageInfo, Region, Roi, Survey

_SAMPLED_FRAMES = 16
_OTHERS = (
    "1 file of the archive is not an image that can be read; it is left out.",
    "{} files of the archive are no images that can be read; they are left out.",
)
_SQUARE = 0.005
_SPACING = (
    "The scale comes from the file's pixel spacing, not from an ultrasound region: check a length before relying on it."
)


@dataclass(frozen=True)
class DecodedArea:
    """The B-mode area of one frame, as `Frame` describes it, with no hash yet."""

    pixels: np.ndarray
    colour: np.ndarray | None
    mm_per_px: float | None
    origin: tuple[float, float]
    source_scale: tuple[float, float]
    device: str | None
    notes: tuple[str, ...]
    frame_index: int
    frame_count: int
    survey: Survey
    is_ultrasound: bool = False
    side: str = ""


def decode_info(data: bytes, choice: Choice, limits: Limits) -> ImageInfo:
    """List what a file holds.

    Parameters
    ----------
    data : bytes
        The file.
    choice : Choice
        `item` looks into one file of an archive.
    limits : Limits
        Limits to keep.

    Returns
    -------
    ImageInfo
        Format, size, frames, regions or the items of an archive.
    """
    name = detect_format(data)
    if name == "ZIP":
        items, n_others = list_items(data, limits)
        if choice.item is None and len(items) > 1:
            others = [_OTHERS[n_others > 1].format(n_others)] if n_others else []
            return ImageInfo("ZIP", None, items=items, notes=tuple(others))
        inner = decode_info(read_item(data, choice.item, limits), Choice(), limits)
        return replace(inner, items=items)
    if name != "DICOM":
        image, _, _ = decode_raster(data, name, 0, limits)
        return replace(describe_raster(data, name, limits), views=find_views(to_grey(image)))
    source = open_dicom(data, limits)
    regions, notes = find_regions(source.header, source.width, source.height)
    return ImageInfo(
        name,
        (source.width, source.height),
        source.count,
        regions,
        () if regions else _find_views(source),
        device=name_device(source.header),
        notes=source.notes + notes,
    )


def decode_area(data: bytes, choice: Choice, limits: Limits) -> DecodedArea:
    """Decode the B-mode area of one frame."""
    name = detect_format(data)
    if name == "ZIP":
        return decode_area(read_item(data, choice.item, limits), replace(choice, item=None), limits)
    if name == "DICOM":
        return _decode_dicom(open_dicom(data, limits), choice, limits)
    image, index, count = decode_raster(data, name, choice.index, limits)
    grey = to_grey(image)
    region, notes = choose_region(() if choice.region is None else find_views(grey), choice.region, grey)
    area = _cut_area(image, region)
    return replace(area, notes=notes + area.notes, frame_index=index, frame_count=count)


def _decode_dicom(source: DicomSource, choice: Choice, limits: Limits) -> DecodedArea:
    named, notes = find_regions(source.header, source.width, source.height)
    if not named and choice.region is not None:
        named = _find_views(source)
    index = choice.index
    if index is None:
        index = _sharpest_frame(source, lambda grey: choose_region(named, choice.region, grey)[0].box)
    limits.check_index(index, source.count)
    (image,) = source.iter_frames([index])
    return _describe_frame(source, image, index, named, notes, choice.region)


def decode_areas(data: bytes, indices: Sequence[int], choice: Choice, limits: Limits) -> list[DecodedArea]:
    """Decode the B-mode areas of several frames of a loop, the file opened once."""
    if detect_format(data) == "ZIP":
        return decode_areas(read_item(data, choice.item, limits), indices, replace(choice, item=None), limits)
    if detect_format(data) != "DICOM":
        return [decode_area(data, replace(choice, index=index), limits) for index in indices]
    source = open_dicom(data, limits)
    named, notes = find_regions(source.header, source.width, source.height)
    if not named and choice.region is not None:
        named = _find_views(source)
    for index in indices:
        limits.check_index(index, source.count)
    images = zip(indices, source.iter_frames(indices), strict=True)
    return [_describe_frame(source, image, index, named, notes, choice.region) for index, image in images]


def _describe_frame(
    source: DicomSource,
    image: np.ndarray,
    index: int,
    named: tuple[Region, ...],
    notes: tuple[str, ...],
    asked: int | None,
) -> DecodedArea:
    region, found = choose_region(named, asked, to_grey(image))
    spacing = read_spacing(source.header, index)
    if spacing and region.mm_per_px is None and not notes:  # a note says that a region is not of these pixels
        region, found = replace(region, mm_per_px=spacing), (*found, _SPACING)
    area = _cut_area(image, region, read_aspect(source.header))
    return replace(
        area,
        device=name_device(source.header),
        notes=source.notes + notes + found + area.notes,
        frame_index=index,
        frame_count=source.count,
        is_ultrasound=True,
        side=read_side(source.header),
    )


def _find_views(source: DicomSource) -> tuple[Region, ...]:
    """Find views side by side on the first frame."""
    (image,) = source.iter_frames([0])
    return find_views(to_grey(image))


def choose_region(named: tuple[Region, ...], asked: int | None, grey: np.ndarray) -> tuple[Region, tuple[str, ...]]:
    """Choose a B-mode area: the one asked for, else the largest that the file names, else what the pixels show."""
    if named:
        if asked is None:
            region = max(named, key=lambda region: region.box.width * region.box.height)
            several = (f"The file names {len(named)} B-mode regions; the largest is shown.",) * (len(named) > 1)
            return region, several
        if not 0 <= asked < len(named):
            raise ImageError(f"Region {asked + 1} was asked for, but the image has {len(named)}. Choose one of these.")
        return named[asked], ()
    if asked:
        raise ImageError(f"Region {asked + 1} was asked for, but the image has none. Leave the choice open.")
    box = find_bmode_area(grey)
    if box is None:
        whole = Roi(0.0, 0.0, float(grey.shape[1]), float(grey.shape[0]))
        return Region(whole), ("No B-mode area was found in the image; the whole of it is shown.",)
    return Region(box), ()


def _sharpest_frame(source: DicomSource, box_of: Callable[[np.ndarray], Roi]) -> int:
    """Choose the sharpest of up to 16 frames spread over a loop, by the Laplacian at 15 to 75 % of the depth."""
    if source.count == 1:
        return 0
    indices = np.unique(np.linspace(0, source.count - 1, _SAMPLED_FRAMES).astype(int)).tolist()
    box: Roi | None = None
    sharpness = []
    for image in source.iter_frames(indices):
        grey = to_grey(image)
        box = box or box_of(grey)
        area = grey[int(box.y0) : int(box.y1), int(box.x0) : int(box.x1)]
        depth = area[int(0.15 * len(area)) : int(0.75 * len(area)) + 1].astype(np.float32)
        laplacian = np.diff(depth, 2, axis=0)[:, 1:-1] + np.diff(depth, 2, axis=1)[1:-1]
        sharpness.append(float(laplacian.var()) if laplacian.size else 0.0)
    return indices[int(np.argmax(sharpness))]


def _cut_area(image: np.ndarray, region: Region, aspect: tuple[float, float] = (1.0, 1.0)) -> DecodedArea:
    """Cut a region out of a frame, in grey and with square pixels; the aspect counts where no scale is known."""
    box = region.box
    x0, y0 = int(box.x0), int(box.y0)
    part = image[y0 : int(box.y1), x0 : int(box.x1)]
    part = blacken_corners(part, to_grey(part))
    grey, colour, notes = to_grey(part), find_strong_colour(part), []
    if colour is not None:
        notes.append("The image has coloured parts, which were converted to greyscale.")
    mm_per_px, scale = None, aspect
    if region.mm_per_px is not None:
        mm_per_px = min(region.mm_per_px)
        scale = (region.mm_per_px[0] / mm_per_px, region.mm_per_px[1] / mm_per_px)
    if max(scale) > 1 + _SQUARE:
        size = round(grey.shape[1] * scale[0]), round(grey.shape[0] * scale[1])
        scale = size[0] / grey.shape[1], size[1] / grey.shape[0]
        grey = np.asarray(Image.fromarray(grey).resize(size, Image.Resampling.BILINEAR))
        colour = None if colour is None else np.asarray(Image.fromarray(colour).resize(size, Image.Resampling.NEAREST))
        notes.append("The pixels were not square and were resampled.")
    else:
        scale = (1.0, 1.0)
    grey = np.ascontiguousarray(grey)
    corner = float(x0), float(y0)
    return DecodedArea(grey, colour, mm_per_px, corner, scale, None, tuple(notes), 0, 1, survey_pixels(grey))

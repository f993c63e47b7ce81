"""The few things taken from an ultrasound header: B-mode regions with their scale, and the device."""

import numpy as np
from pydicom import Dataset
from pydicom.multival import MultiValue

from core.errors import ImageError
from core.imaging.decoding.dicom.items import read_items
from core.imaging.frame import Region, Roi

_TWO_D, _TISSUE, _CENTIMETRE = 1, 1, 3
_FLOW, _UNSAID = 2, 0  # PS3.3 C.8.5.5.1.1 and C.8.5.5.1.2
_SLACK = 2
_SILENT = (
    "The regions that the file names do not say what they show; the B-mode area was found in the pixels, and the scale "
    "is not known."
)
_CORNERS = (
    "RegionLocationMinX0",
    "RegionLocationMinY0",
    "RegionLocationMaxX1",
    "RegionLocationMaxY1",
)
_SCALE_RANGE = (0.005, 2.0)
_MOST_ASPECT = 10


def find_regions(header: Dataset, width: int, height: int) -> tuple[tuple[Region, ...], tuple[str, ...]]:
    """Read the B-mode regions that a file names."""
    named = [item for item in read_items(header, "SequenceOfUltrasoundRegions") if len(item)]
    tissue = [item for item in named if _is_tissue(item)]
    others = [item for item in named if _says_content(item)]
    if others and not tissue:
        is_flow = any(item.get("RegionDataType") == _FLOW for item in others)
        what = "colour Doppler" if is_flow else "traces such as spectral Doppler or M-mode"
        raise ImageError(f"The file names no B-mode region, only {what}. Upload a B-mode image.")
    regions: list[Region] = []
    notes: list[str] = [_SILENT] if named and not others else []
    for item in tissue:
        region, note = _read_region(item, width, height)
        if region and region not in regions:
            regions.append(region)
        if note and note not in notes:
            notes.append(note)
    return tuple(regions), tuple(notes)


def read_spacing(header: Dataset, index: int) -> tuple[float, float] | None:
    """Read a frame's millimetres per pixel where the file gives them apart from any ultrasound region."""
    spacing = header.get("PixelSpacing")
    for groups, number in (("SharedFunctionalGroupsSequence", 0), ("PerFrameFunctionalGroupsSequence", index)):
        measures = [
            read_items(item, "PixelMeasuresSequence") for item in read_items(header, groups)[number : number + 1]
        ]
        spacing = spacing or next((measure[0].get("PixelSpacing") for measure in measures if measure), None)
    if not isinstance(spacing, MultiValue) or len(spacing) != 2:
        return None
    along_y, along_x = (float(value) for value in spacing)
    return (along_x, along_y) if _is_plausible((along_x, along_y)) else None


def read_aspect(header: Dataset) -> tuple[float, float]:
    """Read how much wider and how much higher than the other side a pixel is: at least one of the two is 1."""
    ratio = header.get("PixelAspectRatio")
    if not isinstance(ratio, MultiValue) or len(ratio) != 2:
        return 1.0, 1.0
    high, wide = (float(value) for value in ratio)
    if min(high, wide) <= 0 or max(high, wide) > _MOST_ASPECT * min(high, wide):
        return 1.0, 1.0
    return wide / min(high, wide), high / min(high, wide)


def name_device(header: Dataset) -> str | None:
    """Name the ultrasound device: manufacturer, model and transducer frequency."""
    names = [_clean(header.get(name)) for name in ("Manufacturer", "ManufacturerModelName")]
    device = " ".join(name for name in names if name)
    frequencies = [item.get("TransducerFrequency") for item in read_items(header, "SequenceOfUltrasoundRegions")]
    khz = next((value for value in frequencies if isinstance(value, int) and 500 <= value <= 100_000), None)
    parts = [device, "" if khz is None else f"{khz / 1000:g} MHz"]
    return ", ".join(part for part in parts if part) or None


def _is_tissue(item: Dataset) -> bool:
    return item.get("RegionSpatialFormat") == _TWO_D and item.get("RegionDataType") == _TISSUE


def _says_content(item: Dataset) -> bool:
    """Whether a region says what it shows: some machines leave its format or its data at "none"."""
    layout, data = (item.get(name) or _UNSAID for name in ("RegionSpatialFormat", "RegionDataType"))
    return layout != _UNSAID and (layout, data) != (_TWO_D, _UNSAID)


def _read_region(item: Dataset, width: int, height: int) -> tuple[Region | None, str | None]:
    """Read one region: its box within the pixels and its scale, and a note on what was changed."""
    corners = [item.get(name) for name in _CORNERS]
    if not all(isinstance(corner, int) for corner in corners):
        return None, (
            "A region that the file names states no place; the B-mode area was found in the pixels, "
            "and the scale is not known."
        )
    x0, y0, x1, y1 = corners[0], corners[1], corners[2] + 1, corners[3] + 1
    outside = max(-x0, -y0, x1 - width, y1 - height)
    if x0 >= x1 or y0 >= y1 or outside > _SLACK:
        return None, (
            "A region that the file names lies outside its pixels, as in an image that was resized later; "
            "the B-mode area was found in the pixels instead, and the scale is not known."
        )
    box = Roi(max(x0, 0), max(y0, 0), min(x1, width), min(y1, height))
    note = "A region that the file names was clamped to the image's edge." if outside > 0 else None
    return Region(box, _read_scale(item)), note


def _read_scale(item: Dataset) -> tuple[float, float] | None:
    """Millimetres per pixel along x and y, where the file gives them in centimetres and they are plausible."""
    if item.get("PhysicalUnitsXDirection") != _CENTIMETRE or item.get("PhysicalUnitsYDirection") != _CENTIMETRE:
        return None
    deltas = [item.get(name) for name in ("PhysicalDeltaX", "PhysicalDeltaY")]
    if not all(isinstance(delta, int | float) for delta in deltas):
        return None
    scale = abs(float(deltas[0])) * 10, abs(float(deltas[1])) * 10
    return scale if _is_plausible(scale) else None


def _is_plausible(scale: tuple[float, float]) -> bool:
    low, high = _SCALE_RANGE
    return bool(np.isfinite(scale).all()) and low <= min(scale) and max(scale) <= high


def _clean(value: object) -> str:
    """Keep at most 64 printable characters on one line."""
    return "".join(char for char in str(value or "") if char.isprintable()).strip()[:64]

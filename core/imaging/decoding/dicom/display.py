"""Stored DICOM values to what a viewer shows: 8 bits, by the file's own lookup tables and display window."""

import numpy as np
from pydicom import Dataset
from pydicom.multival import MultiValue

from core.errors import ImageError
from core.imaging.decoding.dicom.items import read_items
from core.imaging.decoding.dicom.palette import read_entries, render_palette

PARTIAL = "YBR_PARTIAL"  # levels 16 to 235, which no decoder turns into RGB
COLOURS = "The file stores its colours in a way that can't be read. Export it as RGB or greyscale."


_OF_FRAMES = {
    "PixelValueTransformationSequence": ("RescaleSlope", "RescaleIntercept"),
    "FrameVOILUTSequence": ("WindowCenter", "WindowWidth", "VOILUTFunction"),
}


def find_display(header: Dataset, index: int) -> Dataset:
    """Give a header with the rescaling and window of one frame, where functional groups hold them (PS3.3 C.7.6.16)."""
    shared = read_items(header, "SharedFunctionalGroupsSequence")[:1]
    own = read_items(header, "PerFrameFunctionalGroupsSequence")[index : index + 1]
    found = {
        name: item[name].value
        for group in (*shared, *own)
        for sequence, names in _OF_FRAMES.items()
        for item in read_items(group, sequence)[:1]
        for name in names
        if name in item
    }
    if not found:
        return header
    changed = Dataset()  # a shallow copy would share its elements with the header
    changed.set_original_encoding(*header.original_encoding)
    changed.update(header)
    for name, value in found.items():
        setattr(changed, name, value)
    return changed


def render_8_bit(stored: np.ndarray, header: Dataset) -> np.ndarray:
    """Turn decoded values into displayed grey or RGB levels; shape (height, width, 3)."""
    photometric = str(header.get("PhotometricInterpretation") or "")
    if photometric == "PALETTE COLOR":
        return render_palette(stored, header)
    is_rgb = photometric.startswith(("RGB", "YBR")) and not photometric.startswith(PARTIAL)
    if stored.ndim == 3 and stored.shape[2] == 3 and is_rgb:
        return _reduce(stored, int(header.get("BitsStored") or 8))
    if stored.ndim == 2 and photometric in {"MONOCHROME1", "MONOCHROME2"}:
        shown = _window(stored, header)
        return 255 - shown if photometric == "MONOCHROME1" or is_inverse(header) else shown
    raise ImageError(COLOURS)


def is_inverse(header: Dataset) -> bool:
    """Whether a file of any photometric interpretation asks for its grey to be turned round."""
    return str(header.get("PresentationLUTShape") or "") == "INVERSE"


def _reduce(values: np.ndarray, bits: int) -> np.ndarray:
    """Keep the upper 8 of the bits stored; fewer are stretched to 8, unless the values need more than is stated."""
    if bits > 8:
        return (values.astype(np.uint32) >> (bits - 8)).astype(np.uint8)
    top = 2**bits - 1
    return values.astype(np.uint8) if bits == 8 or values.max(initial=0) > top else _to_levels(values / top)


def _window(stored: np.ndarray, header: Dataset) -> np.ndarray:
    """Apply modality and VOI transforms; without a window, 8-bit values stay and deeper ones are stretched."""
    values = _apply_modality(stored, header)
    if has_table(header, "VOILUTSequence"):
        shown, bits = _look_up(values, header, "VOILUTSequence")
        return _to_levels(shown / (2**bits - 1))
    centre, width = _first(header.get("WindowCenter")), _first(header.get("WindowWidth"))
    if centre is not None and width is not None and width > 0:
        return _to_levels(
            _voi_fraction(values.astype(np.float64), centre, width, str(header.get("VOILUTFunction") or ""))
        )
    bits = int(header.get("BitsStored") or 8)
    if values.dtype == np.uint8 or (values.min() >= 0 and values.max() <= 255 and bits <= 8):
        return _reduce(values, min(bits, 8))
    low, high = float(values.min()), float(values.max())
    return _to_levels((values - low) / max(high - low, 1.0))


def has_table(header: Dataset, sequence: str) -> bool:
    """Whether a sequence holds a whole lookup table; some writers put in an empty item, or too few entries."""
    return read_table(header, sequence) is not None


def read_table(header: Dataset, sequence: str) -> np.ndarray | None:
    """Read the entries of a sequence's lookup table, whatever their byte order, also such of 8 bits without words.

    The sequence is ModalityLUTSequence or VOILUTSequence; None where there is no table, or a part of one.
    """
    items = read_items(header, sequence)
    descriptor, data = (items[0].get("LUTDescriptor"), items[0].get("LUTData")) if items else (None, None)
    if not descriptor or len(descriptor) != 3 or data is None:
        return None
    return read_entries(data, (int(descriptor[0]) & 0xFFFF or 0x10000, int(descriptor[2])), header)


def _look_up(values: np.ndarray, header: Dataset, sequence: str) -> tuple[np.ndarray, int]:
    """Look values up in a whole table; give what they become, and its bits: no fewer than the entries have."""
    descriptor, entries = header[sequence].value[0].LUTDescriptor, read_table(header, sequence)
    table = np.zeros(1, int) if entries is None else entries
    places = np.rint(values).astype(np.int64) - int(descriptor[1])
    bits = max(int(descriptor[2]), int(table.max()).bit_length())
    return table[places.clip(0, len(table) - 1)].astype(np.uint8 if bits <= 8 else np.uint16), bits


def _apply_modality(stored: np.ndarray, header: Dataset) -> np.ndarray:
    """Apply the modality table or the rescaling, where the file fills them in."""
    if has_table(header, "ModalityLUTSequence"):
        return _look_up(stored, header, "ModalityLUTSequence")[0]
    slope, intercept = _first(header.get("RescaleSlope")), _first(header.get("RescaleIntercept"))
    if not slope or (slope, intercept) == (1, 0):
        return stored
    return stored.astype(np.float64) * slope + (intercept or 0)


def _first(value: object) -> float | None:
    """First of one or several numbers, whatever their type; None where there is none."""
    first = next(iter(value), None) if isinstance(value, MultiValue | list | tuple) else value
    try:
        number = float(str(first))
    except ValueError:
        return None
    return number if np.isfinite(number) else None


def _voi_fraction(values: np.ndarray, centre: float, width: float, function: str) -> np.ndarray:
    """Display fraction of values by PS3.3 C.11.2.1.2 (LINEAR) and C.11.2.1.3 (SIGMOID, LINEAR_EXACT)."""
    if function == "SIGMOID":
        return 1 / (1 + np.exp(-4 * (values - centre) / width))
    if function == "LINEAR_EXACT":
        return (values - centre) / width + 0.5
    return (values - (centre - 0.5)) / max(width - 1, 1e-6) + 0.5


def _to_levels(fraction: np.ndarray) -> np.ndarray:
    return np.round(fraction.clip(0, 1) * 255).astype(np.uint8)

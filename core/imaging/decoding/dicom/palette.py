"""Palettes (PS3.3 C.7.6.3.1.5 and C.7.9) as writers fill them: entries of 8 to 16 bits, packed, in any byte order."""

import numpy as np
from pydicom import DataElement, Dataset
from pydicom.pixels import apply_color_lut

from core.errors import ImageError

_CHANNELS = ("Red", "Green", "Blue")
_DEEP = 16
_NO_TABLE = "The file's colours are numbers of a table that it does not hold whole. Export it as RGB or greyscale."


def render_palette(stored: np.ndarray, header: Dataset) -> np.ndarray:
    """Look indices up in the file's three tables; RGB of 8 bits, shape (height, width, 3)."""
    if any(f"{channel}PaletteColorLookupTableData" not in header for channel in _CHANNELS):
        return _expand(stored, header)
    tables, firsts, stated = [], [], []
    for channel in _CHANNELS:
        count, first, bits = _describe(header, channel)
        tables.append(read_entries(header[f"{channel}PaletteColorLookupTableData"].value, (count, bits), header))
        firsts.append(first)
        stated.append(bits)
    if any(entries is None for entries in tables):
        raise ImageError(_NO_TABLE)
    shift = _count_bits([entries for entries in tables if entries is not None], max(stated)) - 8
    levels = [
        np.asarray(entries)[np.clip(stored.astype(np.int64) - first, 0, len(np.asarray(entries)) - 1)] >> shift
        for entries, first in zip(tables, firsts, strict=True)
    ]
    return np.stack(levels, axis=-1).astype(np.uint8)


def read_entries(data: object, stated: tuple[int, int], header: Dataset) -> np.ndarray | None:
    """Read the entries of a lookup table: words in the file's order, or bytes, of which two lie in a word.

    `stated` is the number of entries and the bits of one, by the descriptor; None where there are fewer.
    """
    count, bits = stated
    if isinstance(data, bytes):
        order = "<u2" if header.original_encoding[1] is not False else ">u2"
        entries = np.frombuffer(data, order, count=len(data) // 2)
        if bits <= 8 and len(data) < 2 * count:  # two in a word
            entries = np.frombuffer(entries.astype("<u2").tobytes() + data[len(data) // 2 * 2 :], np.uint8)
    else:
        entries = np.atleast_1d(np.asarray(data))
    return entries[:count].astype(int) if len(entries) >= count else None


def _describe(header: Dataset, channel: str) -> tuple[int, int, int]:
    """Entries, first index and bits of a channel's table."""
    descriptor = header.get(f"{channel}PaletteColorLookupTableDescriptor")
    if descriptor is None or isinstance(descriptor, int) or len(descriptor) != 3:
        raise ImageError(_NO_TABLE)
    return int(descriptor[0]) & 0xFFFF or 0x10000, int(descriptor[1]), int(descriptor[2])


def _count_bits(tables: list[np.ndarray], stated: int) -> int:
    """Bits that the entries fill: some files state 16 and fill 8, others state 8 and fill 16."""
    top = max(int(entries.max(initial=0)) for entries in tables)
    if top < 2**8:
        return 8
    return stated if 8 < stated <= _DEEP and top < 2**stated else _DEEP


def _expand(stored: np.ndarray, header: Dataset) -> np.ndarray:
    """Look indices up in segmented tables, which pydicom expands."""
    bits = max(_describe(header, channel)[2] for channel in _CHANNELS)
    if any(f"Segmented{channel}PaletteColorLookupTableData" not in header for channel in _CHANNELS):
        raise ImageError(_NO_TABLE)
    header = header if header.original_encoding[1] is not False else _turn(header)
    colours = apply_color_lut(stored, header)
    return (colours >> 8 if bits > 8 else colours).astype(np.uint8)


def _turn(header: Dataset) -> Dataset:
    """Give tables of a big-endian file in this machine's order, in which pydicom reads them (OW: words of 16 bits)."""
    turned = Dataset()
    turned.set_original_encoding(is_implicit_vr=False, is_little_endian=True)
    for element in header.group_dataset(0x0028):
        turned.add(element)
        if element.keyword.endswith("PaletteColorLookupTableData") and element.VR == "OW":
            words = np.frombuffer(element.value, np.uint16).byteswap().tobytes()
            turned[element.tag] = DataElement(element.tag, element.VR, words)  # the file's own stays as it is
    return turned

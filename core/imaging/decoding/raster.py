"""PNG, JPEG, BMP and TIFF: their size and pages, and the pixels of one page."""

import warnings
from collections.abc import Mapping
from io import BytesIO
from typing import Any

import numpy as np
from PIL import Image, ImageOps

from core.errors import ImageError
from core.imaging.decoding.limits import Limits
from core.imaging.frame import ImageInfo

START_OF_SCAN, MOST_SCANS = b"\xff\xda", 64
COMPRESSION, STRIP_OFFSETS, STRIP_BYTES, TILE_OFFSETS, TILE_BYTES = 259, 273, 279, 324, 325
_OLD_JPEG = 6
_JPEG_IN_TIFF = (_OLD_JPEG, 7, 34892)
Image.MAX_IMAGE_PIXELS = None  # Limits.check_size refuses earlier, with the figures


def describe_raster(data: bytes, name: str, limits: Limits) -> ImageInfo:
    """Read an ordinary image's header."""
    with _open(data, name, limits) as image:
        count = _count_pages(image, limits)
        turned = image.getexif().get(0x0112) in {5, 6, 7, 8}
        size = image.size[::-1] if turned else image.size
    return ImageInfo(name, size, count)


def decode_raster(data: bytes, name: str, index: int | None, limits: Limits) -> tuple[np.ndarray, int, int]:
    """Decode an ordinary image; shape (height, width, 3)."""
    with _open(data, name, limits) as image:
        count = _count_pages(image, limits)
        index = 0 if index is None else index
        limits.check_index(index, count)
        if index:
            image.seek(index)
            limits.check_size(*image.size)
        _check_tiff(image, data)
        upright = ImageOps.exif_transpose(image)
        return _to_grey_or_rgb(upright), index, count


def check_scans(stream: bytes) -> None:
    """Refuse a progressive JPEG of very many scans, each of which costs a pass over all pixels."""
    scans = stream.count(START_OF_SCAN)
    if scans > MOST_SCANS:
        raise ImageError(
            f"The JPEG image is written in {scans} scans; at most {MOST_SCANS} can be read. Export it again, as PNG or "
            "as an ordinary JPEG."
        )


def to_grey(image: np.ndarray) -> np.ndarray:
    """Turn RGB pixels to grey by the luma of ITU-R BT.601; pixels that are grey keep their level."""
    return image if image.ndim == 2 else np.asarray(Image.fromarray(image).convert("L"))


def _open(data: bytes, name: str, limits: Limits) -> Image.Image:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        image = Image.open(BytesIO(data), formats=[name])
    limits.check_size(*image.size)
    if name == "JPEG":
        check_scans(data)
    return image


def _check_tiff(image: Image.Image, data: bytes) -> None:
    """Count the scans of each strip or tile of a TIFF whose page is JPEG within."""
    tags = getattr(image, "tag_v2", {})
    if tags.get(COMPRESSION) not in _JPEG_IN_TIFF:
        return
    starts = _list_numbers(tags, STRIP_OFFSETS) or _list_numbers(tags, TILE_OFFSETS)
    lengths = _list_numbers(tags, STRIP_BYTES) or _list_numbers(tags, TILE_BYTES)
    if tags[COMPRESSION] == _OLD_JPEG or len(starts) != len(lengths):
        starts, lengths = [0], [len(data)]
    for start, length in zip(starts, lengths, strict=True):
        check_scans(data[start : start + length] if length else data[start:])


def _list_numbers(tags: Mapping[int, Any], tag: int) -> list[int]:
    value = tags.get(tag, ())
    return [int(one) for one in value] if isinstance(value, tuple) else [int(value)]


def _count_pages(image: Image.Image, limits: Limits) -> int:
    """Pages of a TIFF; a PNG's or JPEG's further frames are previews or animations and don't count."""
    count = getattr(image, "n_frames", 1) if image.format == "TIFF" else 1
    limits.check_frames(count)
    return count


def _to_grey_or_rgb(image: Image.Image) -> np.ndarray:
    if image.mode.startswith("I") or image.mode == "F":
        return _deep_to_8_bit(np.asarray(image))
    if image.mode in {"1", "L"}:
        return np.asarray(image.convert("L"))
    if "A" in image.getbands() or "transparency" in image.info:
        layer = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", layer.size, (0, 0, 0, 255)), layer)
    return np.asarray(image.convert("RGB"))


def _deep_to_8_bit(values: np.ndarray) -> np.ndarray:
    """Scale grey levels by the depth that they use: fractions of 1, or 8, 10, 12, 14, 16 or more bits."""
    is_fraction = values.dtype.kind == "f"
    values = np.nan_to_num(values.astype(np.float64), posinf=0, neginf=0).clip(0)
    top = values.max(initial=0)
    if is_fraction and top <= 1:
        return np.round(values * 255).astype(np.uint8)
    bits = next((depth for depth in (8, 10, 12, 14, 16) if top < 2**depth), 32)
    return np.round(values * (255 / (2**bits - 1))).astype(np.uint8)

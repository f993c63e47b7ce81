"""PNG, JPEG, BMP and TIFF: their size and pages, and the pixels of one page."""

import warnings
from io import BytesIO

import numpy as np
from PIL import Image, ImageOps

from core.errors import ImageError
from core.imaging.decoding.limits import Limits
from core.imaging.frame import ImageInfo

START_OF_SCAN, MOST_SCANS = b"\xff\xda", 64
Image.MAX_IMAGE_PIXELS = None  # Limits.check_size refuses earlier, with the figures


def describe_raster(data: bytes, name: str, limits: Limits) -> ImageInfo:
    """Read an ordinary image's header.

    Parameters
    ----------
    data : bytes
        The file.
    name : {"PNG", "JPEG", "BMP", "TIFF"}
        Its format.
    limits : Limits
        Limits to keep.

    Returns
    -------
    ImageInfo
        Size after the EXIF orientation, and the number of pages.
    """
    with _open(data, name, limits) as image:
        count = _count_pages(image, limits)
        turned = image.getexif().get(0x0112) in {5, 6, 7, 8}
        size = image.size[::-1] if turned else image.size
    return ImageInfo(name, size, count)


def decode_raster(data: bytes, name: str, index: int | None, limits: Limits) -> tuple[np.ndarray, int, int]:
    """Decode an ordinary image.

    Parameters
    ----------
    data : bytes
        The file.
    name : {"PNG", "JPEG", "BMP", "TIFF"}
        Its format.
    index : int or None
        Page of a TIFF; None for the first.
    limits : Limits
        Limits to keep.

    Returns
    -------
    pixels : ndarray of uint8, shape (height, width) or (height, width, 3)
        Grey or RGB, upright by the EXIF orientation, transparent parts black.
    index, count : int
        The page and how many there are.
    """
    with _open(data, name, limits) as image:
        count = _count_pages(image, limits)
        index = 0 if index is None else index
        limits.check_index(index, count)
        if index:
            image.seek(index)
            limits.check_size(*image.size)
        upright = ImageOps.exif_transpose(image)
        return _to_grey_or_rgb(upright), index, count


def to_grey(image: np.ndarray) -> np.ndarray:
    """Turn RGB pixels to grey by the luma of ITU-R BT.601; pixels that are grey keep their level.

    Parameters
    ----------
    image : ndarray of uint8, shape (height, width) or (height, width, 3)
        Grey or RGB.

    Returns
    -------
    ndarray of uint8, shape (height, width)
        Grey levels.
    """
    return image if image.ndim == 2 else np.asarray(Image.fromarray(image).convert("L"))


def _open(data: bytes, name: str, limits: Limits) -> Image.Image:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        image = Image.open(BytesIO(data), formats=[name])
    limits.check_size(*image.size)
    _check_scans(data, name)
    return image


def _check_scans(data: bytes, name: str) -> None:
    """Refuse a progressive JPEG of very many scans, each of which costs a pass over all pixels."""
    scans = data.count(START_OF_SCAN) if name == "JPEG" else 0
    if scans > MOST_SCANS:
        raise ImageError(
            f"The JPEG image is written in {scans} scans; at most {MOST_SCANS} can be read. Export it again, as PNG or "
            "as an ordinary JPEG."
        )


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

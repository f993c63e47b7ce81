"""JPEG XL frames, which pydicom does not decode yet (DICOM supplement 232)."""

from io import BytesIO

import numpy as np
from PIL import Image
from pydicom.uid import UID

from core.errors import ImageError

JPEG_XL = tuple(UID(f"1.2.840.10008.1.2.4.{number}") for number in (110, 111, 112))


def decode_jpeg_xl(stream: bytes, size: tuple[int, int], bits: int) -> np.ndarray:
    """Decode one frame; shape (height, width, 3)."""
    import pillow_jxl  # noqa: F401, PLC0415 - registers the format

    image = Image.open(BytesIO(stream), formats=["JXL"])
    if image.size != size or bits not in {8, 16}:
        raise ImageError("The file's JPEG XL image has another size or depth than its header states. Export it again.")
    return np.asarray(image)

"""The whole first frame of a DICOM file as SonoKi, DCMTK and GDCM show it."""

import re
import subprocess
from pathlib import Path

import numpy as np
import pydicom
import pydicom.data
from PIL import Image

from core.errors import ImageError
from core.imaging.decoding.dicom import open_dicom
from core.imaging.decoding.limits import Limits

LIMITS = Limits(300_000_000, 40_000_000, 16_384, 2_000, 500)
FOLDER = Path(pydicom.data.__file__).parent / "test_files"
FAMILIES = ("examples_j", "examples_p", "examples_r", "examples_y", "SC_", "GDCM", "JPEGLS", "ExplVR_BigEnd.")
SHIPPED = sorted(path.name for path in FOLDER.glob("*.dcm") if path.name.startswith(FAMILIES))

_OTHER = re.compile(rb"(\x08\x00\x60\x00|\x00\x08\x00\x60)(CS\x02\x00|CS\x00\x02|\x02\x00\x00\x00)OT")


def read_shipped(name: str) -> bytes:
    """A file of pydicom's, of modality US where it says "other": derived captures of no ultrasound are refused."""
    return _OTHER.sub(rb"\1\2US", (FOLDER / name).read_bytes(), count=1)


def show(data: bytes, index: int = 0) -> np.ndarray:
    """A frame before the B-mode area is cut out."""
    return next(open_dicom(data, LIMITS).iter_frames([index]))


def to_luma(pixels: np.ndarray) -> np.ndarray:
    """Grey levels as the model sees them."""
    return np.asarray(Image.fromarray(pixels).convert("L")).astype(int)


def show_by_dcmtk(path: Path) -> np.ndarray | None:
    """By its window or table, else 8 bits as they are, deeper ones stretched; None where DCMTK can't read the file."""
    target = path.with_suffix(".pnm")
    target.unlink(missing_ok=True)
    deep = (pydicom.dcmread(path, stop_before_pixels=True, force=True).get("BitsStored") or 8) > 8
    for tool in ("dcmj2pnm", "dcml2pnm"):
        for window in ("+Wi 1", "+Wl 1", "+Wm" if deep else "-W", "-W"):
            subprocess.run([tool, *window.split(), "--write-raw-pnm", path, target], capture_output=True, check=False)
            if target.exists() and target.stat().st_size:
                return np.asarray(Image.open(target))
    return None


def show_by_gdcm(path: Path) -> np.ndarray | None:
    """As GDCM decompresses it, displayed by our own rules; None where GDCM can't read the file."""
    target = path.with_suffix(".raw.dcm")
    target.unlink(missing_ok=True)
    subprocess.run(["gdcmconv", "--raw", path, target], capture_output=True, check=False)
    try:
        return show(target.read_bytes()) if target.exists() else None
    except ImageError:
        return None

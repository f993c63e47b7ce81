"""The whole first frame of a DICOM file as SonoKi, DCMTK and GDCM show it."""

import re
import subprocess
from pathlib import Path

import numpy as np
import pydicom
import pydicom.data
from PIL import Image

from core.errors import ImageError
from core.imaging.decoding.dicom.opening import open_dicom
from core.imaging.decoding.limits import Limits

LIMITS = Limits(300_000_000, 40_000_000, 16_384, 2_000, 500)
FOLDER = Path(pydicom.data.__file__).parent / "test_files"
FAMILIES = ("examples_j", "examples_p", "examples_r", "examples_y", "SC_", "GDCM", "JPEGLS", "ExplVR_BigEnd.")
SHIPPED = sorted(path.name for path in FOLDER.glob("*.dcm") if path.name.startswith(FAMILIES))

_TAG = rb"(?:\x08\x00%b\x00|\x00\x08\x00%b)"
_MODALITY = re.compile(b"(" + _TAG % (b"\x60", b"\x60") + rb"(?:CS..|..\x00\x00))[A-Z]{2}", re.DOTALL)
_OTHER_CLASS = rb"(1\.2\.840\.10008\.5\.1\.4\.1\.1\.(?![36]\.1)[0-9.]+\x00?)"
_CLASS = re.compile(b"(" + _TAG % (b"\x16", b"\x16") + rb"(?:UI..|..\x00\x00))" + _OTHER_CLASS, re.DOTALL)
_ULTRASOUND = b"1.2.840.10008.5.1.4.1.1.6"


def as_ultrasound(data: bytes) -> bytes:
    """The same file of modality and class ultrasound: those of other modalities are refused."""
    data = _CLASS.sub(lambda found: found[1] + _ULTRASOUND.ljust(len(found[2]), b"\0"), data, count=1)
    return _MODALITY.sub(rb"\1US", data, count=1)


def read_shipped(name: str) -> bytes:
    """A file of pydicom's as ultrasound."""
    return as_ultrasound((FOLDER / name).read_bytes())


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

"""Decoding in a process of its own: a large frame, a long loop, a deep palette; time and peak memory."""

import sys
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.uid import ExplicitVRLittleEndian, JPEGBaseline8Bit, UltrasoundMultiFrameImageStorage, generate_uid

from core.benchmark.timing import Part
from core.imaging import read_frame
from core.imaging.decoding.decode import decode_area
from core.imaging.decoding.decoder import Decoder
from core.imaging.decoding.limits import Limits
from core.imaging.frame import Choice
from core.settings import get_setting
from core.simulation import render_patient, simulate_cohort

SEED = 20260507
HEIGHT, WIDTH, FRAMES = 768, 1024, 300
PALETTE_BITS, PALETTE_ENTRIES = 16, 256


def list_decoding_parts() -> dict[str, Part]:
    """List the decodings that are timed, the pipe to the decoder included; one frame also without it."""
    files = _make_files()
    name, frame = next(iter(files.items()))
    limits = _list_limits()
    parts: dict[str, Part] = {f"decode {name}": _reader(data) for name, data in files.items()}
    return parts | {f"decode {name}, not isolated": lambda: decode_area(frame, Choice(), Limits(**limits))}


def measure_decoding_memory() -> dict[str, float]:
    """Measure the peak resident memory (MB) of a fresh decoder on each file.

    Nothing where the system does not tell it.
    """
    return {name: _peak_mb(data) for name, data in _make_files().items()} if sys.platform == "linux" else {}


def _reader(data: bytes) -> Callable[[], object]:
    return lambda: read_frame(data)


def _list_limits() -> dict[str, int]:
    return {name: get_setting(name) for name in ("max_bytes", "max_pixels", "max_side", "max_frames", "max_items")}


def _peak_mb(data: bytes) -> float:
    decoder = Decoder(get_setting("decode_seconds"), get_setting("decode_memory_mb"))
    try:
        decoder.ask({"task": "area", "choice": vars(Choice()), "limits": _list_limits()}, data)
        lines = Path(f"/proc/{decoder.pid}/status").read_text(encoding="ascii").splitlines()
    finally:
        decoder.close()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))


def _make_files() -> dict[str, bytes]:
    frame = _make_tissue()
    return {
        f"a frame of {WIDTH} x {HEIGHT}": _make_dicom(frame),
        f"a JPEG loop of {FRAMES} frames": _make_loop(frame),
        f"a {PALETTE_BITS}-bit palette frame": _make_palette(frame),
    }


def _make_tissue() -> np.ndarray:
    """Render a simulated screen at the frame's size."""
    pixels = render_patient(simulate_cohort(24, SEED), 0, SEED).pixels
    return np.asarray(Image.fromarray(pixels).resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC))


def _make_dicom(pixels: np.ndarray, **tags: object) -> bytes:
    ds = Dataset()
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds.SOPClassUID = ds.file_meta.MediaStorageSOPClassUID = UltrasoundMultiFrameImageStorage
    ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    ds.Modality, ds.PhotometricInterpretation = "US", "MONOCHROME2"
    ds.Rows, ds.Columns, ds.SamplesPerPixel = HEIGHT, WIDTH, 1
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 8, 8, 7, 0
    ds.PixelData = pixels.tobytes()
    ds["PixelData"].VR = "OB"
    for name, value in tags.items():
        setattr(ds, name, value)
    if "NumberOfFrames" in tags:
        ds.file_meta.TransferSyntaxUID = JPEGBaseline8Bit
        ds["PixelData"].is_undefined_length = True
    stream = BytesIO()
    ds.save_as(stream, enforce_file_format=True)
    return stream.getvalue()


def _make_loop(frame: np.ndarray) -> bytes:
    stream = BytesIO()
    Image.fromarray(frame).convert("RGB").save(stream, "JPEG", quality=85)
    return _make_dicom(
        frame,
        NumberOfFrames=FRAMES,
        SamplesPerPixel=3,
        PlanarConfiguration=0,
        PhotometricInterpretation="YBR_FULL_422",
        PixelData=encapsulate([stream.getvalue()] * FRAMES),
    )


def _make_palette(frame: np.ndarray) -> bytes:
    ramp = np.linspace(0, 2**PALETTE_BITS - 1, PALETTE_ENTRIES).round().astype("<u2").tobytes()
    tags: dict[str, object] = {}
    for channel in ("Red", "Green", "Blue"):
        tags[f"{channel}PaletteColorLookupTableDescriptor"] = [PALETTE_ENTRIES, 0, PALETTE_BITS]
        tags[f"{channel}PaletteColorLookupTableData"] = ramp
    return _make_dicom(frame, PhotometricInterpretation="PALETTE COLOR", **tags)

"""Mutated image files against the intake: every one must end in a frame or in a sentence.

Run `python -m tests.core.imaging.decoding.fuzz --count 10000` for the long harness; the tests run a few hundred. Each
file goes the way of an upload on the Case page (list of contents, then a frame, its quality), and some DICOM files are
de-identified; meanwhile the memory of this process and of the decoders is watched.
"""

import argparse
import json
import threading
import time
import zipfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path
from types import TracebackType

import numpy as np
from PIL import Image
from pydicom.uid import (
    HEVCMP51,
    MPEG2MPML,
    MPEG4HP41,
    MPEG4HP41BD,
    DeflatedExplicitVRLittleEndian,
    JPEG2000Lossless,
    RLELossless,
)

from core.errors import AppError
from core.imaging import Frame, assess_quality, default_roi, deidentify, inspect_image, read_frame
from core.imaging.decoding.pool import get_pool
from core.settings import get_setting
from tests.core.imaging.decoding.videos import encode_video, make_frames, make_video_file
from tests.core.imaging.decoding.viewers import read_shipped
from tests.core.imaging.samples import (
    encode,
    make_dataset,
    make_dicom,
    make_htj2k,
    make_jpeg_cine,
    make_region,
    make_speckle,
    save,
)

_SHIPPED = (
    "examples_palette.dcm",
    "ExplVR_BigEnd.dcm",
    "SC_ybr_full_422_uncompressed.dcm",
    "SC_rgb_jpeg_gdcm.dcm",
    "SC_rgb_jls_lossy_line.dcm",
)
_VIDEOS = (
    (MPEG4HP41, "libx264", "mp4"),
    (MPEG4HP41BD, "libx264", "mpegts"),
    (MPEG2MPML, "mpeg2video", "vob"),
    (HEVCMP51, "libx265", "mpegts"),
)
_OF_DICOM, _CLEANED_EACH = "DICOM", 10
_EXTREMES = (b"\xff\xff\xff\xff", b"\x00\x00\x00\x00", b"\xff\xff\xff\x7f", b"\x00\x00\x00\x80", b"\x01\x00\x00\x00")


def make_seeds() -> dict[str, bytes]:
    """One small file of each kind."""
    grey = make_speckle(48, 64)
    colour = np.dstack([grey, grey[::-1], grey[:, ::-1]])
    deflated = make_dataset(grey)
    deflated.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    archive = BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as target:
        target.writestr("a", encode(grey))
        target.writestr("b", make_dicom(grey))
    compressed = {}
    for syntax in (RLELossless, JPEG2000Lossless):
        ds = make_dataset(colour)
        ds.compress(syntax, generate_instance_uid=False)
        compressed[syntax.name] = save(ds)
    pages = BytesIO()
    first = Image.fromarray(colour)
    first.save(pages, "TIFF", save_all=True, append_images=[Image.fromarray(grey)], compression="tiff_adobe_deflate")
    return {
        **{name: read_shipped(name) for name in _SHIPPED},
        "DICOM": make_dicom(grey, SequenceOfUltrasoundRegions=[make_region((4, 4, 59, 43))]),
        "DICOM 12 bit": make_dicom(grey.astype("<u2") * 16, bits=12, WindowCenter=2048, WindowWidth=4096),
        "DICOM deflated": save(deflated),
        "DICOM JPEG cine": make_jpeg_cine([colour, colour[::-1].copy(), colour]),
        "DICOM HTJ2K": make_htj2k(),
        **{
            f"DICOM {codec} in {container}": _make_video(syntax, codec, container)
            for syntax, codec, container in _VIDEOS
        },
        **compressed,
        "PNG": encode(colour),
        "PNG 16 bit": encode(grey.astype(np.uint16) * 257),
        "JPEG": encode(colour, "JPEG"),
        "TIFF": encode(colour, "TIFF", compression="tiff_lzw"),
        "TIFF of two pages": pages.getvalue(),
        "BMP": encode(colour, "BMP"),
        "ZIP": archive.getvalue(),
    }


def _make_video(syntax: str, codec: str, container: str) -> bytes:
    options = {"x265-params": "log-level=none:pools=none:frame-threads=1"} if codec == "libx265" else {}
    return make_video_file(syntax, encode_video(codec, container, make_frames(4), **options), 4)


def mutate(data: bytes, other: bytes, rng: np.random.Generator) -> bytes:
    """Change a file in one to four places: bits, extreme numbers, cuts, repeats, swaps with another file."""
    changed = bytearray(data)
    for _ in range(int(rng.integers(1, 5))):
        if not changed:
            break
        # half of the changes hit the first kilobyte, where the headers are
        at = int(rng.integers(0, len(changed) if rng.random() < 0.5 else min(len(changed), 1024)))
        length = int(rng.integers(1, 64))
        kind = int(rng.integers(0, 7))
        if kind == 0:
            changed[at] ^= 1 << int(rng.integers(0, 8))
        elif kind == 1:
            changed[at : at + 4] = _EXTREMES[int(rng.integers(0, len(_EXTREMES)))]
        elif kind == 2:
            del changed[at:]
        elif kind == 3:
            del changed[at : at + length]
        elif kind == 4:
            changed[at:at] = changed[at : at + length] * int(rng.integers(1, 20))
        elif kind == 5:
            changed[at : at + length] = rng.bytes(length)
        else:
            start = int(rng.integers(0, len(other)))
            changed[at : at + length] = other[start : start + length]
    return bytes(changed)


class MemoryWatch(threading.Thread):
    """Samples the resident memory of this process and the largest address space and memory of any decoder, in MB."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self._done = threading.Event()
        self.decoders: set[int] = set()
        self.peaks = {"app_rss": 0.0, "decoder_rss": 0.0, "decoder_address_space": 0.0}

    def __enter__(self) -> "MemoryWatch":
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._done.set()
        self.join()

    def run(self) -> None:
        while not self._done.wait(0.02):
            self._note("app_rss", "VmRSS", "self")
            for pid in get_pool().pids:
                self.decoders.add(pid)
                self._note("decoder_rss", "VmHWM", str(pid))
                self._note("decoder_address_space", "VmPeak", str(pid))

    def _note(self, name: str, field: str, process: str) -> None:
        try:
            lines = Path(f"/proc/{process}/status").read_text(encoding="ascii").splitlines()
        except (FileNotFoundError, ProcessLookupError):
            return
        size = next((int(line.split()[1]) / 1024 for line in lines if line.startswith(field)), 0.0)
        self.peaks[name] = max(self.peaks[name], size)


def run_fuzz(count: int, seed: int) -> dict[str, object]:
    """Feed mutated files to the intake; whatever is neither a frame nor a sentence of ours is raised.

    Returns counts of frames and of each sentence, the slowest answer in seconds, the peaks of memory in MB with their
    limit, and how many decoders had to be replaced.
    """
    seeds = list(make_seeds().values())

    def read_one(number: int) -> tuple[str, float]:
        rng = np.random.default_rng((seed, number))
        first, second = rng.integers(0, len(seeds), 2)
        return _read(mutate(seeds[first], seeds[second], rng))

    _read(seeds[0])  # starts the decoders, which counts for no file
    with MemoryWatch() as watch, ThreadPoolExecutor(get_pool().size) as threads:
        outcomes = list(threads.map(read_one, range(count)))
    sentences = Counter(sentence for sentence, _ in outcomes)
    return {
        "files": count,
        "slowest_s": max(seconds for _, seconds in outcomes),
        "limit_s": get_setting("decode_seconds"),
        "peak_mb": {name: round(size) for name, size in watch.peaks.items()},
        "decoder_limit_mb": get_setting("decode_memory_mb"),
        "decoders_replaced": len(watch.decoders) - get_pool().size,
        "outcomes": dict(sentences.most_common()),
    }


def _read(data: bytes) -> tuple[str, float]:
    """Go the way of an upload; the seconds are those of its slowest step."""
    start = time.perf_counter()
    slowest = 0.0
    try:
        info = inspect_image(data)
        slowest, start = time.perf_counter() - start, time.perf_counter()
        frame = read_frame(data, item=0 if info.items else None)
        slowest, start = max(slowest, time.perf_counter() - start), time.perf_counter()
        assert isinstance(frame, Frame)
        assert assess_quality(frame, default_roi(frame))
        if info.format == _OF_DICOM and data[-1] % _CLEANED_EACH == 0:
            start = time.perf_counter()
            deidentify(data, bytes(32))
    except AppError as error:
        outcome = str(error)
    else:
        outcome = "frame"
    assert "Traceback" not in outcome
    assert "\n" not in outcome
    return outcome, max(slowest, time.perf_counter() - start)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    print(json.dumps(run_fuzz(arguments.count, arguments.seed), indent=1))  # noqa: T201 - its result

"""Mutated image files against the intake: every one must end in a frame or in a sentence.

Run `python -m tests.core.imaging.fuzz --count 10000` for the long harness; the tests run a few hundred.
"""

import argparse
import json
import time
import zipfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO

import numpy as np
from pydicom.uid import DeflatedExplicitVRLittleEndian, JPEG2000Lossless, RLELossless

from core.errors import AppError
from core.imaging import Frame, read_frame
from core.imaging.pool import get_pool
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
    return {
        "DICOM": make_dicom(grey, SequenceOfUltrasoundRegions=[make_region((4, 4, 59, 43))]),
        "DICOM 12 bit": make_dicom(grey.astype("<u2") * 16, bits=12, WindowCenter=2048, WindowWidth=4096),
        "DICOM deflated": save(deflated),
        "DICOM JPEG cine": make_jpeg_cine([colour, colour[::-1].copy(), colour]),
        "DICOM HTJ2K": make_htj2k(),
        **compressed,
        "PNG": encode(colour),
        "JPEG": encode(colour, "JPEG"),
        "TIFF": encode(colour, "TIFF", compression="tiff_lzw"),
        "BMP": encode(colour, "BMP"),
        "ZIP": archive.getvalue(),
    }


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


def run_fuzz(count: int, seed: int) -> dict[str, object]:
    """Feed mutated files to the intake; whatever is neither a frame nor a sentence of ours is raised.

    Returns counts of frames and of each sentence, and the slowest answer in seconds.
    """
    rng = np.random.default_rng(seed)
    seeds = list(make_seeds().values())
    files = []
    for _ in range(count):
        first, second = rng.integers(0, len(seeds), 2)
        files.append(mutate(seeds[first], seeds[second], rng))
    with ThreadPoolExecutor(get_pool().size) as threads:
        outcomes = list(threads.map(_read, files))
    sentences = Counter(sentence for sentence, _ in outcomes)
    return {
        "files": count,
        "slowest_s": max(seconds for _, seconds in outcomes),
        "outcomes": dict(sentences.most_common()),
    }


def _read(data: bytes) -> tuple[str, float]:
    start = time.perf_counter()
    try:
        frame = read_frame(data)
    except AppError as error:
        outcome = str(error)
    else:
        assert isinstance(frame, Frame)
        outcome = "frame"
    assert "Traceback" not in outcome
    assert "\n" not in outcome
    return outcome, time.perf_counter() - start


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    print(json.dumps(run_fuzz(arguments.count, arguments.seed), indent=1))  # noqa: T201 - its result

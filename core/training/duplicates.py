"""Images that show nearly the same: grouped by a perceptual hash, so that no group stands on two sides of a split."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.fft import dctn
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

SIDE, KEPT = 32, 8
MOST_BITS = 8  # of 64
CHUNK = 512


def compute_perceptual_hash(image: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Hash what an image looks like from afar (pHash: signs of the low cosine frequencies about their median)."""
    small = Image.fromarray(image).resize((SIDE, SIDE), Image.Resampling.LANCZOS)
    low = dctn(np.asarray(small, dtype=np.float64), norm="ortho")[:KEPT, :KEPT].ravel()
    return low > np.median(low)


def group_near_duplicates(images: Sequence[NDArray[np.uint8]]) -> NDArray[np.int64]:
    """Group images whose hashes differ in at most 8 of 64 bits, directly or by a chain; int64 (n,)."""
    if not images:
        return np.empty(0, dtype=np.int64)
    bits = np.array([compute_perceptual_hash(image) for image in images], dtype=np.int32)
    differing = bits @ (1 - bits).T
    alike = coo_array((differing + differing.T <= MOST_BITS).astype(np.int8))
    return connected_components(alike, directed=False)[1].astype(np.int64)


def find_twins(looks: NDArray[np.bool_], patients: Sequence[str]) -> dict[int, int]:
    """Give each image that nearly equals one of another patient, and the first such one.

    They are compared by perceptual hash, bool (n, 64).
    """
    bits, owner = looks.astype(np.int32), np.asarray(patients)
    twins: dict[int, int] = {}
    for start in range(0, len(bits), CHUNK):
        part = bits[start : start + CHUNK]
        differing = part @ (1 - bits).T + (1 - part) @ bits.T
        alike = (differing <= MOST_BITS) & (owner[start : start + CHUNK, None] != owner)
        twins |= {start + int(i): int(alike[i].argmax()) for i in np.flatnonzero(alike.any(axis=1))}
    return twins

"""The differences between two views of a patient, in a bundle's training."""

import numpy as np
import pandas as pd

from core.training.bundle.evidence import LEAST_PAIRS as LEAST
from core.training.bundle.evidence import measure_between_views
from core.training.features import Features
from models.fusion import ImageHead

HEAD = ImageHead(np.array([1.0, 0.0]), 3.0)


def measure(n: int, *, lost: tuple[int, ...] = ()):
    """Measure on `n` patients with two images whose scores differ by 0, 1, ..., and on trained and single ones."""
    ids = [f"P{i}" for i in range(n) for _ in range(2)] + ["T"] * 2 + ["S"]
    pooled = np.zeros((len(ids), 2))
    pooled[1 : 2 * n : 2, 0] = -np.arange(n)
    pooled[2 * n, 0] = 1000
    pooled[list(lost)] = np.nan
    return measure_between_views(Features(pooled, ()), pd.Series(ids), pd.Index(["T"]), HEAD)


def test_only_patients_with_two_images_who_were_not_trained_on_count():
    between = measure(LEAST + 11)
    assert between.source.startswith(f"{LEAST + 11} patients with two images")
    assert between.quantiles[50] == (LEAST + 10) / 2
    assert between.quantiles[100] == LEAST + 10


def test_an_image_that_was_not_read_makes_no_pair():
    assert measure(LEAST + 1, lost=(0,)).source.startswith(f"{LEAST} patients")


def test_too_few_pairs_are_not_described():
    assert measure(LEAST - 1) is None
    assert measure(LEAST, lost=(3,)) is None

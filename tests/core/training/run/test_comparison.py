"""A new bundle beside the one in use: the figures are those of the same patients."""

import numpy as np
import pandas as pd
import pytest

from core.evaluation import compare_roc
from core.training.run.comparison import compare_models


def make_patients(n: int = 200) -> pd.DataFrame:
    rng = np.random.default_rng(4)
    y = rng.integers(0, 2, n)
    return pd.DataFrame({"y": y, "prob": (0.3 * y + 0.7 * rng.random(n)), "in_use": (0.1 * y + 0.8 * rng.random(n))})


def test_the_difference_is_that_of_the_paired_test() -> None:
    patients = make_patients()
    found = compare_models(patients, 0.5, 0.4)
    own = compare_roc(patients["y"], patients["prob"], patients["in_use"])
    assert (found["n"], found["events"]) == (200, patients["y"].sum())
    assert found["difference"] == {"value": own.difference, "ci": own.ci, "p": own.p, "reason": None}
    assert found["difference"]["ci"][0] < found["difference"]["value"] < found["difference"]["ci"][1]


def test_a_bundle_beside_itself_differs_in_nothing() -> None:
    patients = make_patients().assign(in_use=lambda t: t["prob"])
    found = compare_models(patients, 0.5, 0.5)
    assert found["difference"]["value"] == 0
    assert found["calibration"]["new"] == found["calibration"]["in_use"]
    assert [(c["up"], c["down"]) for c in found["reclassification"].values()] == [(0, 0), (0, 0)]


def test_changed_calls_are_counted_by_outcome() -> None:
    patients = pd.DataFrame(
        {"y": [1, 1, 1, 1, 0, 0], "prob": [0.9, 0.9, 0.9, 0.1, 0.1, 0.9], "in_use": [0.2, 0.2, 0.8, 0.8, 0.8, 0.8]}
    )
    calls = compare_models(patients, 0.5, 0.5)["reclassification"]
    assert (calls["high"]["n"], calls["high"]["up"], calls["high"]["down"], calls["high"]["net"]) == (4, 2, 1, 0.25)
    half = 1.959964 * (3 - 1 / 4) ** 0.5 / 4
    assert calls["high"]["ci"] == pytest.approx((0.25 - half, 0.25 + half))
    assert (calls["low"]["up"], calls["low"]["down"], calls["low"]["net"]) == (0, 1, -0.5)

"""Observed over expected, and the AUC, by window."""

import numpy as np
import pandas as pd
import pytest

from core.evaluation import compute_roc
from core.monitoring.agreement import FEWEST, compare_outcomes, compute_oe_limits
from core.monitoring.windows import cut_windows

DAYS = pd.Series(pd.date_range("2026-01-01", periods=120))
TODAY = pd.Timestamp("2027-01-01")


@pytest.mark.parametrize(
    ("observed", "expected", "low", "high"),
    [
        (137, 24.19893, 4.753125, 6.692709),  # R: poisson.test(137, 24.19893), as its help page prints
        (10, 1.0, 4.795389, 18.390356),  # R: poisson.test(10)
        (0, 1.0, 0.0, 3.688879),  # R: poisson.test(0); -log(0.025)
    ],
)
def test_limits_equal_those_of_r(observed, expected, low, high):
    assert compute_oe_limits(observed, expected) == pytest.approx((low, high), abs=1e-6)


def test_limits_hold_the_observed_ratio_and_narrow_with_more_patients():
    few, many = compute_oe_limits(20, 25.0), compute_oe_limits(200, 250.0)
    assert few[0] < many[0] < 0.8 < many[1] < few[1]


def test_windows_are_compared_apart():
    rng = np.random.default_rng(9)
    p = rng.random(120)
    y = (rng.random(120) < p).astype(float)
    y[3] = np.nan
    table = compare_outcomes(p, y, cut_windows(DAYS, "patients", today=TODAY))
    assert table["with_outcome"].tolist() == [49, 50, 20]
    assert table["observed"].tolist() == [np.nansum(y[:50]), y[50:100].sum(), y[100:].sum()]
    assert table["expected"].tolist() == pytest.approx([p[:50].sum() - p[3], p[50:100].sum(), p[100:].sum()])
    assert table["auc"].iloc[1] == pytest.approx(compute_roc(y[50:100], p[50:100]).auc)
    assert (table["auc_low"] <= table["auc"]).all()


def test_what_can_not_be_estimated_says_so():
    p, y = np.full(120, 0.5), np.full(120, np.nan)
    y[:50], y[50 : 50 + FEWEST - 1] = 1.0, 0.0
    table = compare_outcomes(p, y, cut_windows(DAYS, "patients", today=TODAY))
    assert table["auc"].isna().all()
    assert table["oe"].iloc[0] == 2.0
    assert table["oe"].iloc[1:].isna().all()
    assert "fewer than 10" in table["reason"].iloc[1]
    assert table["reason"].iloc[0]
    assert table["with_outcome"].tolist() == [50, FEWEST - 1, 0]

"""The evaluation's benchmark: own part and public package do the same work."""

import numpy as np
import pytest
from dcurves import dca

from core.benchmark.evaluation import GRID, SIZES, _resample_auc, _simulate, list_evaluation_parts
from core.evaluation import compute_decision_curve, compute_roc


@pytest.fixture(scope="module")
def data():
    return _simulate(204)


def test_each_size_and_each_package_is_listed(bundle_dir):
    names = " ".join(list_evaluation_parts(bundle_dir))
    assert all(f"DeLong interval, n = {n:,}" in names for n in SIZES)
    assert all(package in names for package in ("scikit-learn", "dcurves", "lifelines", "whole evaluation"))


def test_the_bootstrap_agrees_with_delong(data):
    assert compute_roc(data["y"], data["prob"]).auc_ci == pytest.approx(_resample_auc(data), abs=0.02)


def test_dcurves_gives_the_same_net_benefit(data):
    own = compute_decision_curve(data["y"], {"model": data["prob"]}, GRID).table
    other = dca(data=data, outcome="y", modelnames=["prob"], thresholds=GRID)
    expected = other.loc[other["model"] == "prob", "net_benefit"]
    np.testing.assert_allclose(own.loc[own["model"] == "model", "net_benefit"], expected, atol=1e-12)

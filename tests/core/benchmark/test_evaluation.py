"""The evaluation's benchmark: own part and public package do the same work."""

import numpy as np
import pytest

from core.benchmark.evaluation import SIZES, list_evaluation_parts


@pytest.fixture(scope="module")
def parts(bundle_dir):
    return list_evaluation_parts(bundle_dir)


def test_each_size_and_each_package_is_listed(parts):
    names = " ".join(parts)
    assert all(f"DeLong interval, n = {n:,}" in names for n in SIZES)
    assert all(package in names for package in ("scikit-learn", "dcurves", "lifelines", "whole evaluation"))


def test_the_bootstrap_agrees_with_delong(parts):
    own, resampled = (part for name, part in parts.items() if name.startswith("AUC") and name.endswith("n = 204"))
    assert own().auc_ci == pytest.approx(resampled(), abs=0.02)


def test_dcurves_gives_the_same_net_benefit(parts):
    run_own, run_other = (part for name, part in parts.items() if name.startswith("decision curve"))
    own, other = run_own().table, run_other()
    expected = other.loc[other["model"] == "prob", "net_benefit"]
    np.testing.assert_allclose(own.loc[own["model"] == "model", "net_benefit"], expected, atol=1e-12)

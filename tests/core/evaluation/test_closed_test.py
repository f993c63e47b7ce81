"""The closed testing procedure: its invariants, its level by simulation, and R's likelihood-ratio tests."""

import numpy as np
import pytest
from scipy.special import expit

from core.evaluation import compute_closed_test
from core.evaluation.calibration.closed_test import METHODS, fit_update

COEFS = np.array([-0.3, 1.0, -0.6, 0.4])
SHIFTS = {"keep": (0, 1), "in the large": (0.9, 1), "recalibration": (0.8, 0.4)}


def draw(truth: np.ndarray, n: int = 3000, seed: int = 3) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, len(truth) - 1))
    return (rng.random(n) < expit(truth[0] + X @ truth[1:])).astype(float), X


def move(shift: float, slope: float) -> np.ndarray:
    return slope * COEFS + np.array([shift, 0, 0, 0])


@pytest.mark.parametrize("method", SHIFTS)
def test_it_goes_as_far_as_the_patients_ask_for(method):
    y, X = draw(move(*SHIFTS[method]))
    found = compute_closed_test(y, X, COEFS)
    assert found.method == method
    shift, slope = SHIFTS[method]
    assert (found.update.intercept, found.update.slope) == pytest.approx((shift, slope), abs=0.12)
    linear = COEFS[0] + X @ COEFS[1:]
    after = found.update.coefs[0] + X @ found.update.coefs[1:]
    assert after == pytest.approx(found.update.intercept + found.update.slope * linear)


def test_other_coefficients_are_fitted_anew():
    y, X = draw(np.array([0.2, -0.5, 1.0, 0.4]))
    found = compute_closed_test(y, X, COEFS)
    assert found.method == "refit"
    assert (found.update.intercept, found.update.slope) == (None, None)
    assert found.update.coefs == pytest.approx([0.2, -0.5, 1.0, 0.4], abs=0.2)


def test_likelihood_rises_with_each_update_and_degrees_of_freedom_fall():
    table = compute_closed_test(*draw(move(0.5, 0.7), 200), COEFS).table
    assert table.index.tolist() == list(METHODS)
    assert table["log_likelihood"].is_monotonic_increasing
    assert table["df"].tolist()[:3] == [4, 3, 2]
    assert table.loc["refit", ["chisq", "df", "p"]].isna().all()


def test_an_updated_model_has_the_observed_share_and_the_slope_one():
    y, X = draw(move(0.5, 0.7), 400)
    for method in METHODS[1:]:
        coefs = fit_update(y, X, COEFS, method).coefs
        assert expit(coefs[0] + X @ coefs[1:]).mean() == pytest.approx(y.mean(), abs=1e-8)
    again = fit_update(y, X, fit_update(y, X, COEFS, "recalibration").coefs, "recalibration")
    assert (again.intercept, again.slope) == pytest.approx((0, 1), abs=1e-6)


def test_a_model_that_is_right_is_kept_as_often_as_the_level_says():
    """400 cohorts of 300: at 5 %, 20 changes are expected; 8 to 35 hold by chance in 99.9 %."""
    changed = sum(compute_closed_test(*draw(COEFS, 300, seed), COEFS).method != "keep" for seed in range(400))
    assert 8 <= changed <= 35


R = (
    ((-21.8, 2.8, 0.7, 0.9), "keep", (0.7230564676, 0.7188507456, 0.5433348754), 0.9484554462),
    ((-21, 2.82, 0.8, 1.0), "in the large", (88.58497581, 0.09383972494, 0.08880392763), 0.992566292),
    ((-14, 1.75, 0.55, 0.6), "recalibration", (23.8435095, 19.4422273, 0.01611172676), 0.9919764981),
    ((-21, 2.9, -0.9, 0.4), "refit", (86.22882872, 57.98699054, 56.75963124), 4.729363325e-13),
)


@pytest.mark.parametrize(("coefs", "method", "chisq", "p"), R)
def test_the_tests_are_those_of_r(df_binary, coefs, method, chisq, p):
    """R 4.2.2 on df_binary, in the order of the paper.

    X <- cbind(d$age / 10, d$famhistory, d$marker); y <- d$cancer; lp <- as.vector(cbind(1, X) %*% coefs)
    ll <- c(sum(y * lp - log(1 + exp(lp))), logLik(glm(y ~ offset(lp), family = binomial)),
            logLik(glm(y ~ lp, family = binomial)), logLik(glm(y ~ X, family = binomial)))
    chisq <- 2 * (ll[4] - ll[1:3]); p <- pchisq(chisq, c(4, 3, 2), lower.tail = FALSE)
    c("keep", "in the large", "recalibration", "refit")[which(c(p >= 0.05, TRUE))[1]]
    """
    X = np.column_stack([df_binary["age"] / 10, df_binary["famhistory"], df_binary["marker"]])
    found = compute_closed_test(df_binary["cancer"], X, coefs)
    assert found.method == method
    assert found.table["chisq"].to_numpy()[:3] == pytest.approx(chisq, rel=1e-6)
    last = min(METHODS.index(method), 2)
    assert found.table["p"].iloc[last] == pytest.approx(p, rel=1e-6)


def test_what_has_no_fit_says_so():
    y, X = draw(COEFS, 60)
    assert "All 60 patients are positive" in compute_closed_test(np.ones(60), X, COEFS).reason
    assert "no finite fit" in compute_closed_test(y, np.column_stack([X[:, :2], np.ones(60)]), COEFS).reason

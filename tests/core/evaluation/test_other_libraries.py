"""The same figures by other libraries, on made-up patients with ties, missing values and extreme probabilities."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from lifelines import CoxPHFitter, KaplanMeierFitter
from lifelines.statistics import multivariate_logrank_test
from scipy.special import logit
from sklearn.metrics import cohen_kappa_score, f1_score, matthews_corrcoef, roc_auc_score
from statsmodels.duration.survfunc import survdiff
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.inter_rater import cohens_kappa
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint

from core.evaluation import (
    compare_roc,
    compute_calibration,
    compute_confusion,
    compute_cox,
    compute_kaplan_meier,
    compute_logrank,
    compute_mcnemar,
    compute_roc,
)
from core.evaluation.cohort.holm import adjust_holm

SEEDS = pytest.mark.parametrize("seed", range(4))


def draw(seed: int) -> pd.DataFrame:
    """Make patients whose scores, times and groups are tied often."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(60, 250))
    prob = np.clip(rng.beta(0.6, 0.8, n).round(2), 0.001, 0.999)
    time = np.ceil(rng.exponential(20, n) / (0.5 + prob))
    return pd.DataFrame(
        {
            "prob": prob,
            "other": np.clip(prob + rng.normal(0, 0.25, n), 0.001, 0.999).round(2),
            "y": (rng.random(n) < prob).astype(int),
            "time": np.minimum(time, np.ceil(rng.uniform(5, 40, n))),
            "event": (rng.random(n) < 0.6).astype(int),
            "group": rng.choice(["a", "b", "c"], n),
            "centre": rng.choice(["A", "B"], n),
            "size": rng.integers(5, 12, n),
        }
    )


def compute_delong_by_hand(y, a, b):
    """Covariance of two AUCs from the placement values, pair by pair."""
    parts = []
    for score in (a, b):
        x, z = score[y == 1][:, None], score[y == 0][None, :]
        psi = (x > z) + 0.5 * (x == z)
        parts.append((psi.mean(), psi.mean(axis=1), psi.mean(axis=0)))
    (auc_a, v10_a, v01_a), (auc_b, v10_b, v01_b) = parts
    return auc_a, auc_b, np.cov(v10_a, v10_b) / len(v10_a) + np.cov(v01_a, v01_b) / len(v01_a)


@SEEDS
def test_auc_and_delong(seed):
    data = draw(seed)
    y, a, b = data["y"].to_numpy(), data["prob"].to_numpy(), data["other"].to_numpy()
    auc_a, auc_b, cov = compute_delong_by_hand(y, a, b)
    roc, test = compute_roc(y, a), compare_roc(y, a, b)
    assert roc.auc == pytest.approx(roc_auc_score(y, a), abs=1e-12)
    assert roc.auc_se == pytest.approx(np.sqrt(cov[0, 0]), abs=1e-12)
    assert test.difference == pytest.approx(auc_a - auc_b, abs=1e-12)
    assert test.se == pytest.approx(np.sqrt(cov[0, 0] + cov[1, 1] - 2 * cov[0, 1]), abs=1e-12)
    with_gaps = np.append(a, [0.5, np.nan]), np.append(y, [np.nan, 1])
    assert compute_roc(with_gaps[1], with_gaps[0]).auc_ci == roc.auc_ci


@SEEDS
def test_metrics_at_a_threshold(seed):
    data = draw(seed)
    decided = (data["prob"] >= 0.4).astype(int)
    value = compute_confusion(data["y"], data["prob"], 0.4).metrics
    assert value.loc["kappa", "value"] == pytest.approx(cohen_kappa_score(data["y"], decided), abs=1e-12)
    assert value.loc["mcc", "value"] == pytest.approx(matthews_corrcoef(data["y"], decided), abs=1e-12)
    assert value.loc["f1", "value"] == pytest.approx(f1_score(data["y"], decided), abs=1e-12)
    cases = data["y"] == 1
    limits = proportion_confint(decided[cases].sum(), cases.sum(), method="wilson")
    assert tuple(value.loc["sensitivity", ["ci_low", "ci_high"]]) == pytest.approx(limits, abs=1e-12)
    kappa = cohens_kappa(pd.crosstab(decided, data["y"]).to_numpy())
    assert value.loc["kappa", "ci_low"] == pytest.approx(kappa.kappa_low, abs=1e-9)


@SEEDS
def test_mcnemar(seed):
    data = draw(seed)
    first, second = data["prob"] >= 0.5, data["other"] >= 0.5
    table = pd.crosstab(first == data["y"], second == data["y"]).to_numpy()
    exact = table[0, 1] + table[1, 0] < 25
    expected = mcnemar(table, exact=exact, correction=False)
    assert compute_mcnemar(data["y"], first, second).p == pytest.approx(expected.pvalue, abs=1e-12)


@SEEDS
def test_calibration_models(seed):
    data = draw(seed)
    linear, ones = logit(data["prob"].to_numpy()), np.ones(len(data))
    large = sm.GLM(data["y"], ones, family=sm.families.Binomial(), offset=linear).fit(tol=1e-12)
    both = sm.GLM(data["y"], sm.add_constant(linear), family=sm.families.Binomial()).fit(tol=1e-12)
    own = compute_calibration(data["y"], data["prob"])
    assert own.intercept == pytest.approx(float(large.params.iloc[0]), abs=1e-7)
    assert own.intercept_se == pytest.approx(float(large.bse.iloc[0]), abs=1e-7)
    assert own.slope == pytest.approx(float(both.params.iloc[1]), abs=1e-7)
    assert own.slope_se == pytest.approx(float(both.bse.iloc[1]), abs=1e-7)


@SEEDS
def test_kaplan_meier(seed):
    data = draw(seed)
    other = KaplanMeierFitter().fit(data["time"], data["event"])
    own = compute_kaplan_meier(data["time"], data["event"]).curve
    np.testing.assert_allclose(own["survival"], other.survival_function_.loc[own["time"], "KM_estimate"], atol=1e-12)
    limits = other.confidence_interval_survival_function_.loc[own["time"]].to_numpy()
    inside = (own["survival"] > 0) & (own["survival"] < 1)
    np.testing.assert_allclose(own.loc[inside, ["ci_low", "ci_high"]], limits[inside], atol=1e-12)


@SEEDS
def test_logrank_of_three_groups_plain_and_stratified(seed):
    data = draw(seed)
    plain = multivariate_logrank_test(data["time"], data["group"], data["event"])
    assert compute_logrank(data["time"], data["event"], data["group"]).chisq == pytest.approx(plain.test_statistic)
    chisq, p = survdiff(data["time"], data["event"], data["group"], strata=data["centre"])
    own = compute_logrank(data["time"], data["event"], data["group"], strata=data["centre"])
    assert (own.chisq, own.p, own.df) == (pytest.approx(chisq), pytest.approx(p), 2)


@SEEDS
def test_cox_with_many_ties_and_strata(seed):
    data = draw(seed)
    frame = data[["time", "event", "prob", "size", "centre"]]
    other = CoxPHFitter().fit(frame, "time", "event", strata="centre")
    own = compute_cox(data["time"], data["event"], data[["prob", "size"]], strata=data["centre"])
    np.testing.assert_allclose(own.table["coef"], other.params_, atol=1e-5)
    np.testing.assert_allclose(own.table["se"], other.standard_errors_, atol=1e-5)
    efron = sm.PHReg(data["time"], data[["prob", "size"]], status=data["event"], strata=data["centre"], ties="efron")
    np.testing.assert_allclose(own.table["coef"], efron.fit().params, atol=1e-6)


@SEEDS
def test_holm(seed):
    p = np.random.default_rng(seed).uniform(0, 0.1, 7)
    own = adjust_holm({str(i): value for i, value in enumerate(p)})
    np.testing.assert_allclose(list(own.values()), multipletests(p, method="holm")[1], atol=1e-15)

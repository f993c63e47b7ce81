"""Other fits of the fusion against derived values and another implementation, and their comparison."""

import numpy as np
import pytest
import statsmodels.api as sm

from core.training.bundle.fusion import fit_ridge_logistic
from core.training.study.alternatives import (
    FUSIONS,
    USED,
    draw_known_sample,
    fit_flic,
    fit_shrunk,
    fit_unpenalised,
    measure_alternatives,
)
from core.training.study.known_truth import Network

GROUP = np.zeros(1, dtype=np.int64)


def make_table(a: int, b: int, c: int, d: int) -> tuple[np.ndarray, np.ndarray]:
    """Exposed: a events, b others; not exposed: c events, d others."""
    return np.repeat([1.0, 1.0, 0.0, 0.0], [a, b, c, d])[:, None], np.repeat([1.0, 0.0, 1.0, 0.0], [a, b, c, d])


@pytest.mark.parametrize("counts", [(8, 2, 3, 7), (5, 0, 2, 9)])
def test_firths_odds_ratio_of_a_fourfold_table_adds_a_half_to_each_cell(counts: tuple[int, int, int, int]) -> None:
    """As logistf: in a saturated model Jeffreys' prior adds 1/2 to each cell (Firth 1993; Haldane, Anscombe)."""
    a, b, c, d = (count + 0.5 for count in counts)
    assert fit_flic(*make_table(*counts), GROUP)[1] == pytest.approx(np.log(a * d / (b * c)), abs=1e-3)


@pytest.mark.parametrize("name", FUSIONS)
def test_the_mean_probability_is_the_observed_share(name: str) -> None:
    """Firth's alone would give a share nearer to one half."""
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(90, 3)), (rng.random(90) < 0.15).astype(float)
    coefs = FUSIONS[name](X, y, np.arange(90) % 5)
    assert np.mean(1 / (1 + np.exp(-coefs[0] - X @ coefs[1:]))) == pytest.approx(y.mean(), abs=1e-6)


def test_without_penalty_it_is_maximum_likelihood_and_shrinkage_keeps_its_direction() -> None:
    rng = np.random.default_rng(1)
    X = rng.normal(size=(120, 3))
    y = (rng.random(120) < 1 / (1 + np.exp(-X @ [1.0, -0.5, 0.0]))).astype(float)
    plain = fit_unpenalised(X, y, GROUP)
    assert plain == pytest.approx(sm.Logit(y, sm.add_constant(X)).fit(disp=0).params, abs=1e-4)
    factor = fit_shrunk(X, y, GROUP)[1:] / plain[1:]
    assert factor == pytest.approx(np.full(3, factor[0]), abs=1e-9)
    assert 0.5 < factor[0] < 1


def test_ridge_fulfils_glmnets_conditions() -> None:
    """X'(y - p) / n = lambda sd b and sum (y - p) = 0: the stationary point of glmnet's objective, alpha = 0."""
    rng = np.random.default_rng(2)
    X = rng.normal(size=(150, 4)) * [1, 4, 0.3, 2]
    y = (rng.random(150) < 1 / (1 + np.exp(-X[:, 0]))).astype(float)
    coefs = fit_ridge_logistic(X, y, np.ones((1, 150)), np.array([0.05 * 150]))[0]
    spread = X.std(0)
    left = y - 1 / (1 + np.exp(-coefs[0] - X @ coefs[1:]))
    assert left.sum() == pytest.approx(0, abs=1e-8)
    assert (X / spread).T @ left / 150 == pytest.approx(0.05 * spread * coefs[1:], abs=1e-8)


def test_alternatives_are_compared_on_the_same_cohorts() -> None:
    network = Network()
    table = measure_alternatives(lambda seed: draw_known_sample(network, seed, 120), 2).set_index("alternative")
    assert set(FUSIONS) < set(table.index)
    assert (table["cohorts"] == 2).all()
    assert table.loc[USED, "lost"] == 0
    assert table["auc"].between(0.6, 1).all()
    assert table["log_loss"].between(0.2, 1).all()

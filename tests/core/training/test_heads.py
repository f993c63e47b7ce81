from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression, Ridge

from core.errors import WorkError
from core.training.bundle.fusion import choose_penalty, complete_inputs, draw_lost_coefs, fit_ridge_logistic
from core.training.bundle.heads import fit_heads
from core.training.bundle.image_score import PENALTIES, draw_folds, draw_lost_weights, fit_image_score, map_features
from core.training.bundle.terms import make_terms
from core.training.bundle.whole_fit import Model, Study, fit_whole, refit_whole
from models.fusion import FusionHead, Term

TERM = Term("age", "linear", 50.0, 10.0, {}, 20.0, 80.0)
ONES = np.ones(150)


def no_views(pooled: np.ndarray) -> np.ndarray:
    return np.empty((len(pooled), 0, pooled.shape[1]))


def make_study(n: int = 300, seed: int = 0) -> Study:
    rng = np.random.default_rng(seed)
    pooled, z = rng.normal(size=(n, 12)), rng.normal(size=(n, 1))
    logit = 0.3 + 1.2 * pooled[:, 0] - 0.7 * z[:, 0]
    target = logit + rng.logistic(size=n)
    z[rng.random(n) < 0.1] = np.nan
    space = map_features(pooled, no_views(pooled))
    return Study(space, target, (target > 0).astype(float), z, rng.integers(3, size=n))


def test_the_ridge_logistic_fit_is_scikit_learns_with_sample_weights() -> None:
    rng = np.random.default_rng(1)
    X = rng.normal(size=(200, 3)) * [1, 5, 0.2] + 2
    y = (rng.random(200) < 1 / (1 + np.exp(-(X[:, 0] - 2)))).astype(float)
    weight = rng.integers(0, 4, 200).astype(float)
    mean = weight @ X / weight.sum()
    spread = np.sqrt(weight @ (X - mean) ** 2 / weight.sum())
    found = fit_ridge_logistic(X, y, np.stack([weight, weight]), np.array([5.0, 1e-6]))
    for coefs, penalty in zip(found, (5.0, 1e-6), strict=True):
        other = LogisticRegression(C=1 / penalty, tol=1e-10, max_iter=10_000)
        other.fit((X - mean) / spread, y, sample_weight=weight)
        assert coefs[1:] == pytest.approx(other.coef_[0] / spread, rel=2e-4, abs=1e-5)
        assert coefs[0] == pytest.approx(float(other.intercept_[0] - other.coef_[0] / spread @ mean), abs=2e-3)


def test_the_mean_probability_is_the_observed_share_at_any_penalty() -> None:
    """Unlike Firth's likelihood without intercept correction."""
    rng = np.random.default_rng(2)
    X, y = rng.normal(size=(80, 2)), (rng.random(80) < 0.13).astype(float)
    for coefs in fit_ridge_logistic(X, y, np.ones((2, 80)), np.array([0.3, 50.0])):
        assert np.mean(1 / (1 + np.exp(-(coefs[0] + X @ coefs[1:])))) == pytest.approx(y.mean(), abs=1e-8)


def test_separated_classes_give_finite_coefficients() -> None:
    score = np.linspace(-2, 2, 40)[:, None]
    coefs = fit_ridge_logistic(score, (score[:, 0] > 0).astype(float), np.ones((1, 40)), np.array([1.0]))[0]
    assert 0 < coefs[1] < 20


def test_noise_is_penalised_more_than_signal() -> None:
    rng = np.random.default_rng(3)
    X, group = rng.normal(size=(150, 6)), rng.integers(3, size=150)
    noise = (rng.random(150) < 0.5).astype(float)
    signal = (2 * X[:, 0] + rng.logistic(size=150) > 0).astype(float)
    assert choose_penalty(X, noise, ONES, group) > choose_penalty(X, signal, ONES, group)


def test_gaps_are_filled_with_what_is_expected() -> None:
    rng = np.random.default_rng(4)
    full = rng.multivariate_normal([1, 2], [[1, 0.8], [0.8, 1]], size=3000)
    holed = full.copy()
    holed[rng.random(3000) < 0.3, 1] = np.nan
    found = complete_inputs(holed, np.ones(3000))
    assert found.mean == pytest.approx([1, 2], abs=0.06)
    assert found.cov == pytest.approx(np.array([[1, 0.8], [0.8, 1]]), abs=0.08)
    gap = np.isnan(holed[:, 1])
    assert found.filled[gap, 1] == pytest.approx(2 + 0.8 * (holed[gap, 0] - 1), abs=0.15)
    assert np.array_equal(found.filled[~gap], holed[~gap])


@pytest.mark.parametrize("n_low", [1, 2, 70])
def test_folds_hold_for_ki67_rounded_to_fives(n_low: int) -> None:
    target = np.log(np.array([3.0] * n_low + [5.0] * 80 + [20.0] * 15 + [40.0] * 54))
    fold = draw_folds(target, np.ones(len(target)), np.random.default_rng(0))
    counts = np.bincount(fold)
    assert len(counts) == 10
    assert counts.max() - counts.min() <= 1
    high = np.bincount(fold[target > np.log(10)], minlength=10)
    assert high.max() - high.min() <= 2


def test_a_patient_drawn_twice_stands_in_one_fold_and_is_scored_by_a_head_that_never_saw_it() -> None:
    """With a target of pure noise and half as many features as patients, scores out of fold don't follow it."""
    rng = np.random.default_rng(5)
    pooled, target = rng.normal(size=(150, 80)), rng.normal(size=150)
    weight = rng.multinomial(150, ONES / 150).astype(float)
    fitted = fit_image_score(map_features(pooled, no_views(pooled)), target, weight, draw_folds(target, weight, rng))
    drawn = weight > 0
    assert abs(np.corrcoef(fitted.out_of_fold[drawn], target[drawn])[0, 1]) < 0.35


def test_the_image_score_is_standardised_and_follows_the_target() -> None:
    rng = np.random.default_rng(6)
    pooled = rng.normal(size=(150, 60))
    target = pooled[:, 0] * 3 + pooled[:, 1:40].sum(1) + 0.1 * rng.normal(size=150)
    fitted = fit_image_score(map_features(pooled, no_views(pooled)), target, ONES, draw_folds(target, ONES, rng))
    assert fitted.out_of_fold.mean() == pytest.approx(0, abs=1e-9)
    assert fitted.out_of_fold.std() == pytest.approx(1)
    assert np.corrcoef(fitted.out_of_fold, target)[0, 1] > 0.5
    assert fitted.penalty in PENALTIES


def test_the_mean_of_the_folds_heads_is_the_mean_of_scikit_learns() -> None:
    rng = np.random.default_rng(7)
    pooled = rng.normal(size=(60, 8))
    target = pooled[:, 0] + rng.normal(size=60)
    space = map_features(pooled, no_views(pooled))
    fold = draw_folds(target, np.ones(60), rng)
    fitted = fit_image_score(space, target, np.ones(60), fold)
    others = [Ridge(alpha=fitted.penalty).fit(space.own[fold != k], target[fold != k]) for k in range(10)]
    mean = np.mean([other.coef_ for other in others], axis=0)
    raw = np.concatenate([others[k].predict(space.own[fold == k]) for k in range(10)])
    assert fitted.weights * raw.std() == pytest.approx(mean, abs=1e-8)


@pytest.mark.parametrize(("sizes", "balanced"), [((50, 40, 60), True), ((80, 40, 30), False), ((75, 75), False)])
def test_heads_leave_out_a_centre_where_the_others_hold_enough(sizes: tuple[int, ...], balanced: bool) -> None:
    centre = np.repeat(np.arange(len(sizes)), sizes)
    study = replace(make_study(150), centre=centre)
    assert study.has_balanced_centres is balanced
    whole = fit_whole(study, {"m1": Model(True, (0,))}, ONES, np.random.default_rng(0))
    by_centre = fit_image_score(study.space, study.target, ONES, centre)
    assert np.allclose(whole.image.weights, by_centre.weights) is balanced


def test_views_teach_the_score_to_ignore_what_they_vary() -> None:
    """A feature that follows the target, but varies between views of one patient, gets less weight."""
    rng = np.random.default_rng(6)
    target = rng.normal(size=120)
    steady, shaky = target + rng.normal(size=(2, 120))
    pooled = np.column_stack([steady, shaky])
    views = np.repeat(pooled[:, None], 8, axis=1)
    views[:, :, 1] += 3 * rng.normal(size=(120, 8))
    weights = []
    for some in (views[:, :0], views):
        space = map_features(pooled, some)
        weights.append(space.axes @ fit_image_score(space, target, np.ones(120), np.arange(120) % 10).weights)
    assert abs(weights[1][1] / weights[1][0]) < 0.5 * abs(weights[0][1] / weights[0][0])


def test_what_the_penalty_took_is_drawn_with_the_spread_of_the_posterior() -> None:
    rng = np.random.default_rng(8)
    pooled = rng.normal(size=(50, 4))
    space = map_features(pooled, no_views(pooled))
    fit = fit_image_score(space, pooled[:, 0] + rng.normal(size=50), np.ones(50), np.arange(50) % 10)
    draws = np.stack([draw_lost_weights(space, fit, np.ones(50), rng) for _ in range(4000)])
    centred = space.own - space.own.mean(0)
    inverse = np.linalg.inv(centred.T @ centred + fit.penalty * np.eye(4))
    wanted = fit.penalty * fit.noise * inverse @ inverse
    assert np.cov(draws.T) == pytest.approx(wanted, abs=0.1 * wanted.max())


def test_a_fusion_almost_without_penalty_loses_nothing() -> None:
    rng = np.random.default_rng(9)
    X, coefs = rng.normal(size=(200, 2)), np.array([0.1, 1.0, -0.5])
    small, large = (draw_lost_coefs(X, coefs, np.ones(200), p, np.random.default_rng(0)) for p in (1e-9, 30.0))
    assert np.abs(small).max() < 1e-4 < np.abs(large[1:]).max()


def test_refits_hold_the_truth_and_vary_in_their_intercept_as_a_bootstrap_does() -> None:
    """Drawn without strata: the intercept's spread is that of maximum likelihood, about 0.15 here."""
    heads = fit_heads(make_study(264), {"m1": Model(True, (0,))}, (TERM,), seed=1, n_refits=100)
    head = heads.fusions["m1"]
    assert head.bootstrap.shape == (100, 3)
    assert heads.refits.shape == (100, 13)
    assert 0.11 < head.bootstrap[:, 0].std() < 0.24
    low, high = np.percentile(head.bootstrap[:, 2], [0.5, 99.5])
    assert low <= -0.7 <= high


def test_a_model_without_the_image_ignores_it() -> None:
    head = fit_heads(make_study(), {"clinical": Model(False, (0,))}, (TERM,), seed=1, n_refits=5).fusions["clinical"]
    assert head.image_coef == 0
    assert set(head.contribute(5.0, {"age": 40})) == {"age"}
    assert not head.bootstrap[:, 1].any()


def test_a_fusion_survives_json() -> None:
    head = fit_heads(make_study(), {"m1": Model(True, (0,))}, (TERM,), seed=1, n_refits=5).fusions["m1"]
    again = FusionHead.from_json(head.to_json())
    assert again.given(()).contribute(0.4, {}) == head.given(()).contribute(0.4, {})
    assert np.array_equal(again.bootstrap, head.bootstrap)


def test_one_class_is_refused() -> None:
    study = make_study(40)
    one = Study(study.space, study.target, np.eye(1, 40)[0], study.coded, study.centre)
    with pytest.raises(WorkError, match="Of 40 training patients 1 are positive"):
        refit_whole(one, {"m1": Model(True, (0,))}, seed=1, n_refits=2)


def test_terms_are_centred_so_that_an_unknown_value_adds_nothing() -> None:
    patients = pd.DataFrame({"age": [40.0, 60.0, None], "birads": ["4A", "5", "4A"], "palpable": ["yes", "yes", "yes"]})
    terms, notes = make_terms(patients, ["age", "birads", "palpable", "size_mm"])
    assert [term.field for term in terms] == ["age", "birads"]
    assert terms[0].code(50) == pytest.approx(0)
    assert terms[0].code(None) == 0
    assert np.mean([terms[1].code(v) for v in patients["birads"]]) == pytest.approx(0)
    assert "palpable is left out" in notes[0]
    assert "size_mm is left out: known in 0 of 3" in notes[1]

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import Ridge

from core.errors import WorkError
from core.training.bundle import heads
from core.training.bundle.heads import _solve_ridge, fit_fusion, fit_image_score
from core.training.bundle.terms import make_terms
from models.fusion import FusionHead, Term

NO_VIEWS = np.empty((150, 0, 300))
TERM = Term("age", "linear", 50.0, 10.0, {}, 20.0, 80.0)


def make_patients(n: int = 400, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    score, z = rng.normal(size=(2, n))
    y = (rng.random(n) < 1 / (1 + np.exp(-(0.3 + 1.2 * score - 0.7 * z)))).astype(float)
    return score, z, y


def test_fusion_recovers_the_coefficients_within_their_bootstrap_interval() -> None:
    score, z, y = make_patients(2000)
    head = fit_fusion(score, z[:, None], y, (TERM,), seed=1)
    low, high = np.percentile(head.bootstrap, [0.5, 99.5], axis=0)
    truth = np.array([0.3, 1.2, -0.7])
    assert np.all((low <= truth) & (truth <= high))
    assert head.bootstrap.shape == (500, 3)


def test_fusion_is_unpenalised() -> None:
    """At the maximum of the likelihood residuals are orthogonal to every column."""
    score, z, y = make_patients()
    head = fit_fusion(score, z[:, None], y, (TERM,), seed=1)
    residual = y - 1 / (1 + np.exp(-(head.intercept + head.image_coef * score + head.coefs[0] * z)))
    assert np.abs([residual.sum(), residual @ score, residual @ z]).max() < 1e-6


def test_a_model_without_the_image_ignores_it() -> None:
    _, z, y = make_patients()
    head = fit_fusion(None, z[:, None], y, (TERM,), seed=1)
    assert head.image_coef == 0
    assert set(head.contribute(5.0, {"age": 40})) == {"age"}


def test_separated_classes_still_give_finite_coefficients(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heads, "N_BOOTSTRAP", 20)
    score = np.linspace(-2, 2, 40)
    head = fit_fusion(score, np.empty((40, 0)), (score > 0).astype(float), (), seed=1)
    assert 0 < head.image_coef < 20
    assert np.isfinite(head.bootstrap).all()


def test_one_class_is_refused() -> None:
    with pytest.raises(WorkError, match="Of 40 training patients 1 are positive"):
        fit_fusion(np.arange(40.0), np.empty((40, 0)), np.eye(1, 40)[0], (), seed=1)


def test_the_image_score_is_out_of_fold_and_standardised() -> None:
    rng = np.random.default_rng(3)
    pooled = rng.normal(size=(150, 300))
    noise = fit_image_score(pooled, NO_VIEWS, rng.normal(size=150), seed=1)
    assert noise.out_of_fold.mean() == pytest.approx(0, abs=1e-9)
    assert noise.out_of_fold.std() == pytest.approx(1)
    target = pooled[:, 0] + 0.1 * rng.normal(size=150)
    signal = fit_image_score(pooled, NO_VIEWS, target, seed=1)
    assert np.corrcoef(signal.out_of_fold, target)[0, 1] > 0.5


def test_scores_of_pure_noise_do_not_follow_the_target_out_of_fold() -> None:
    rng = np.random.default_rng(4)
    pooled, target = rng.normal(size=(200, 400)), rng.normal(size=200)
    fitted = fit_image_score(pooled, np.empty((200, 0, 400)), target, seed=1)
    assert abs(np.corrcoef(fitted.out_of_fold, target)[0, 1]) < 0.3


def test_terms_are_centred_so_that_an_unknown_value_adds_nothing() -> None:
    patients = pd.DataFrame({"age": [40.0, 60.0, None], "birads": ["4A", "5", "4A"], "palpable": ["yes", "yes", "yes"]})
    terms, notes = make_terms(patients, ["age", "birads", "palpable", "size_mm"])
    assert [term.field for term in terms] == ["age", "birads"]
    assert terms[0].code(50) == pytest.approx(0)
    assert terms[0].code(None) == 0
    assert np.mean([terms[1].code(v) for v in patients["birads"]]) == pytest.approx(0)
    assert "palpable is left out" in notes[0]
    assert "size_mm is left out: known in 0 of 3" in notes[1]


def test_a_fusion_survives_json() -> None:
    score, z, y = make_patients()
    head = fit_fusion(score, z[:, None], y, (TERM,), seed=1)
    again = FusionHead.from_json(head.to_json())
    assert again.contribute(0.4, {"age": 61}) == head.contribute(0.4, {"age": 61})
    assert np.array_equal(again.bootstrap, head.bootstrap)


def test_the_ridge_solution_is_scikit_learns() -> None:
    rng = np.random.default_rng(5)
    for n, p in ((30, 80), (80, 30)):
        X, y = rng.normal(size=(n, p)) + 2, rng.normal(size=n)
        weights, bias = _solve_ridge(X - X.mean(0), y, (3.0,))
        other = Ridge(alpha=3.0).fit(X - X.mean(0), y)
        assert weights[:, 0] == pytest.approx(other.coef_, abs=1e-8)
        assert bias == pytest.approx(other.intercept_)


def test_views_teach_the_score_to_ignore_what_they_vary() -> None:
    """A feature that follows the target, but varies between views of one patient, gets less weight."""
    rng = np.random.default_rng(6)
    target = rng.normal(size=120)
    steady, shaky = target + rng.normal(size=(2, 120))
    pooled = np.column_stack([steady, shaky])
    views = np.repeat(pooled[:, None], 8, axis=1)
    views[:, :, 1] += 3 * rng.normal(size=(120, 8))
    plain, varied = (fit_image_score(pooled, v, target, seed=1).head.weights for v in (views[:, :0], views))
    assert abs(varied[1] / varied[0]) < 0.5 * abs(plain[1] / plain[0])

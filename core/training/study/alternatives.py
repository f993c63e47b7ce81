"""Other ways to fit image score and fusion, compared on the external centre of many simulated cohorts."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from firthmodels import FirthLogisticRegression
from numpy.typing import NDArray
from scipy.special import expit, log_expit
from sklearn.metrics import roc_auc_score

from core.evaluation.calibration.logistic import fit_logistic
from core.simulation.parameters import EXTERNAL
from core.training.bundle.fusion import choose_penalty, complete_inputs, fit_ridge_logistic
from core.training.bundle.image_score import PENALTIES, draw_folds, fit_image_score, map_features, solve_ridge
from core.training.bundle.whole_fit import Study
from core.training.study.known_truth import COHORT, LN_PER_LOGIT, Network, draw_views, simulate_patients

Floats = NDArray[np.float64]
Fusion = Callable[[Floats, Floats, NDArray[np.int64]], Floats]
Watch = Callable[[int, int], None]
USED = "as used"
NO_PENALTY = 1e-6
SHRINKAGE_DRAWS = 100
FIRST_IMAGES = 30


@dataclass(frozen=True)
class Sample:
    """Training patients of one cohort, and patients of another centre."""

    own: Floats  # (n, p), pooled features of the training patients
    views: Floats  # (n, v, p), those of random views of their images
    # target, y: (n,), what the image score follows, and the outcome
    target: Floats
    y: Floats
    coded: Floats  # (n, K), coded clinical terms, NaN where not known
    centre: NDArray[np.int64]  # (n,), number of each patient's centre
    # other_own, other_coded, other_y: the same of m patients of another centre
    other_own: Floats
    other_coded: Floats
    other_y: Floats


def draw_known_sample(network: Network, seed: int, n_train: int = 264) -> Sample:
    """Draw a sample from patients whose true probabilities are logistic.

    Every value of the other centre's patients is known.
    """
    rng = np.random.default_rng([seed, n_train])
    drawn = simulate_patients(network, max(COHORT, round(n_train * COHORT / 264)), seed, rng)
    away = np.flatnonzero(drawn.centre == EXTERNAL)
    train = rng.permutation(np.flatnonzero(drawn.centre != EXTERNAL))[:n_train]
    y, shown = (drawn.latent > 0).astype(np.float64), drawn.features[train]
    return Sample(
        shown,
        draw_views(shown, rng),
        LN_PER_LOGIT * drawn.latent[train],
        y[train],
        drawn.known[train],
        pd.factorize(drawn.centre[train])[0],
        drawn.features[away],
        drawn.coded[away],
        y[away],
    )


def fit_unpenalised(X: Floats, y: Floats, _group: NDArray[np.int64]) -> Floats:
    """Fit by maximum likelihood; intercept and coefficients, (1 + k,)."""
    return fit_ridge_logistic(X, y, np.ones((1, len(y))), np.array([NO_PENALTY]))[0]


def fit_ridge(X: Floats, y: Floats, group: NDArray[np.int64]) -> Floats:
    """Fit with the ridge penalty of the least deviance on left-out groups; (1 + k,)."""
    ones = np.ones(len(y))
    return fit_ridge_logistic(X, y, ones[None], np.array([choose_penalty(X, y, ones, group)]))[0]


def fit_flic(X: Floats, y: Floats, _group: NDArray[np.int64]) -> Floats:
    """Fit by Firth's penalty, then the intercept alone by maximum likelihood (FLIC: Puhr et al., Stat Med 2017)."""
    slopes = FirthLogisticRegression(backend="numpy", max_iter=100).fit(X, y).coef_
    return _with_intercept(np.asarray(slopes, dtype=np.float64), X, y)


def fit_shrunk(X: Floats, y: Floats, group: NDArray[np.int64]) -> Floats:
    """Fit by maximum likelihood, slopes times the mean calibration slope of bootstrap fits (Steyerberg 2001)."""
    rng = np.random.default_rng(0)
    drawn = [np.bincount(rng.integers(len(y), size=len(y)), minlength=len(y)) for _ in range(SHRINKAGE_DRAWS)]
    weights = np.array(drawn, dtype=np.float64)
    coefs = fit_ridge_logistic(X, y, weights, np.full(SHRINKAGE_DRAWS, NO_PENALTY))
    factor = np.mean([_measure_slope(c[0] + X @ c[1:], y) for c in coefs])
    return _with_intercept(factor * fit_unpenalised(X, y, group)[1:], X, y)


FUSIONS: dict[str, Fusion] = {
    USED: fit_ridge,
    "no penalty": fit_unpenalised,
    "Firth, intercept corrected": fit_flic,
    "bootstrap shrinkage": fit_shrunk,
}


def measure_alternatives(samples: Callable[[int], Sample], n: int, watch: Watch | None = None) -> pd.DataFrame:
    """Fit every alternative on n samples and judge it on the other centre's patients."""
    rows = []
    for i in range(n):
        sample = samples(i)
        rows += [
            {"cohort": i, "alternative": name} | _judge(*value) for name, value in fit_alternatives(sample).items()
        ]
        if watch is not None:
            watch(i + 1, n)
    table = pd.DataFrame(rows)
    used = table[table["alternative"] == USED].set_index("cohort")["log_loss"]
    table["lost"] = table["log_loss"] - used.loc[table["cohort"]].to_numpy()
    grouped = table.drop(columns="cohort").groupby("alternative", sort=False)
    means = grouped.mean()
    means.insert(0, "cohorts", grouped.size())
    means.insert(3, "lost_se", grouped["lost"].sem())
    return means.reset_index()


def fit_alternatives(sample: Sample) -> dict[str, tuple[Floats, Floats]]:
    """Fit every alternative on one sample; shape (m,)."""
    study = _make_study(sample)
    own, other = _score(study, study.centre, sample)
    found = {name: _fuse(sample, own, other, fit) for name, fit in FUSIONS.items()}
    found["one head for new patients"] = _fuse(sample, own, _score_once(study, sample))
    folds = draw_folds(study.target, np.ones(len(study.y)), np.random.default_rng(0))
    found["ten folds of patients"] = _fuse(sample, *_score(study, folds, sample))
    centred = _standardise_centres(sample)
    shifted = _make_study(centred)
    found["features standardised within a centre"] = _fuse(centred, *_score(shifted, shifted.centre, centred))
    return found


def _make_study(sample: Sample) -> Study:
    return Study(map_features(sample.own, sample.views), sample.target, sample.y, sample.coded, sample.centre)


def _fuse(sample: Sample, own: Floats, other: Floats, fit: Fusion = fit_ridge) -> tuple[Floats, Floats]:
    inputs = complete_inputs(np.column_stack([own, sample.coded]), np.ones(len(sample.y)))
    coefs = fit(inputs.filled, sample.y, sample.centre)
    return coefs[0] + np.column_stack([other, sample.other_coded]) @ coefs[1:], sample.other_y


def _score(study: Study, fold: NDArray[np.int64], sample: Sample) -> tuple[Floats, Floats]:
    """Score training patients out of fold, and those of the other centre by the mean of the folds' heads."""
    image = fit_image_score(study.space, study.target, np.ones(len(study.y)), fold)
    return image.out_of_fold, _locate(study, sample) @ image.weights + image.bias


def _score_once(study: Study, sample: Sample) -> Floats:
    """Score the other centre by one head fitted on all training patients, in the units of the scores out of fold."""
    image = fit_image_score(study.space, study.target, np.ones(len(study.y)), study.centre)
    weights, biases = solve_ridge(study.space, study.target, np.ones((1, len(study.y))))
    best = PENALTIES.index(image.penalty)
    raw = _locate(study, sample) @ weights[0, :, best] + biases[0, best]
    return np.asarray((raw - image.raw_mean) / image.raw_spread)


def _locate(study: Study, sample: Sample) -> Floats:
    return np.asarray((sample.other_own - study.space.centre) @ study.space.axes)


def _standardise_centres(sample: Sample) -> Sample:
    """Standardise each centre's features by its first images, whose Ki-67 need not be known."""
    own, views = sample.own.copy(), sample.views.copy()
    overall = sample.own.mean(0), sample.own.std(0)
    for centre in np.unique(sample.centre):
        rows = sample.centre == centre
        shift, scale = _compare(sample.own[rows], overall)
        own[rows], views[rows] = own[rows] * scale + shift, views[rows] * scale + shift
    shift, scale = _compare(sample.other_own, overall)
    return replace(sample, own=own, views=views, other_own=sample.other_own * scale + shift)


def _compare(features: Floats, overall: tuple[Floats, Floats]) -> tuple[Floats, Floats]:
    """Shift and scale that give a centre's first images the mean and spread of all."""
    first = features[:FIRST_IMAGES]
    spread = first.std(0)
    scale = np.divide(overall[1], spread, out=np.ones_like(spread), where=spread > 0)
    return overall[0] - first.mean(0) * scale, scale


def _with_intercept(slopes: Floats, X: Floats, y: Floats) -> Floats:
    fit = fit_logistic(np.ones((len(y), 1)), y, offset=X @ slopes)
    return np.concatenate([[np.nan] if fit is None else fit.coef, slopes])


def _measure_slope(linear: Floats, y: Floats) -> float:
    return float(fit_ridge_logistic(linear[:, None], y, np.ones((1, len(y))), np.array([NO_PENALTY]))[0, 1])


def _judge(linear: Floats, y: Floats) -> dict[str, float]:
    return {
        "log_loss": float(-log_expit(np.where(y == 1, linear, -linear)).mean()),
        "slope": _measure_slope(linear, y),
        "mean_minus_share": float(expit(linear).mean() - y.mean()),
        "auc": float(roc_auc_score(y, linear)),
    }

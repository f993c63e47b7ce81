"""The heads of a bundle: a ridge image score, out of fold, and its fusion with clinical terms."""

import warnings
from dataclasses import dataclass

import numpy as np
from firthmodels import FirthLogisticRegression
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedKFold

from core.errors import WorkError
from core.evaluation.calibration.logistic import fit_logistic
from models.fusion import FusionHead, ImageHead, Term

Floats = NDArray[np.float64]
PENALTIES = tuple(10.0 ** np.arange(1, 7.01, 0.25))
N_FOLDS = 10
N_INNER_FOLDS = 5
N_BOOTSTRAP = 500


@dataclass(frozen=True)
class ImageScore:
    """An image head and the scores that a fusion may be fitted on.

    Parameters
    ----------
    head : ImageHead
        Fitted on all training patients; unit is the standard deviation of the out-of-fold scores.
    out_of_fold : ndarray of float64, (n,)
        Score of each training patient by a head that never saw the patient.
    penalty : float
        Ridge penalty on standardised features.
    """

    head: ImageHead
    out_of_fold: Floats
    penalty: float


def fit_image_score(pooled: Floats, views: Floats, target: Floats, *, seed: int) -> ImageScore:
    """Fit a linear score of the pooled features.

    Ridge regression on standardised features of each patient's images and of random views of them, so that the score
    does not hang on gain, depth or the hand that drew the box. The penalty is chosen by five folds of patients, anew
    within each outer fold; held-out patients are scored on their images as they are.

    Parameters
    ----------
    pooled : ndarray of float64, (n, 2048)
        Mean pooled features of each training patient.
    views : ndarray of float64, (n, v, 2048)
        Pooled features of random views of each patient's images; v may be 0.
    target : ndarray of float64, (n,)
        What the score follows: logarithm of Ki-67, or 0 and 1.
    seed : int
        Seed of the folds.

    Returns
    -------
    ImageScore
        Head and out-of-fold scores, both with mean 0 and standard deviation 1 out of fold.

    Raises
    ------
    WorkError
        If the images can't tell the patients apart.
    """
    rows = np.concatenate([pooled[:, None], views], axis=1)
    strata = np.digitize(target, np.quantile(target, [0.25, 0.5, 0.75]))
    folds = StratifiedKFold(
        min(N_FOLDS, int(np.unique(strata, return_counts=True)[1].min())), shuffle=True, random_state=seed
    )
    raw = np.empty(len(target))
    for fit, held in folds.split(pooled, strata):
        raw[held] = _fit_ridge(rows[fit], target[fit])[0].score(pooled[held])
    head, penalty = _fit_ridge(rows, target)
    mean, spread = float(raw.mean()), float(raw.std())
    if spread == 0:
        raise WorkError("The image score is the same for every training patient: the images can't tell them apart.")
    return ImageScore(ImageHead(head.weights / spread, (head.bias - mean) / spread), (raw - mean) / spread, penalty)


def _fit_ridge(rows: Floats, target: Floats) -> tuple[ImageHead, float]:
    """Fit on rows (n, 1 + v, p), the first of each patient the images as they are; choose the penalty by patient."""
    n, per_patient, p = rows.shape
    flat = rows.reshape(-1, p)
    centre, spread = flat.mean(0), flat.std(0)
    spread = np.where(spread > 0, spread, np.inf)
    coded = ((flat - centre) / spread).reshape(n, per_patient, p)
    inner = np.arange(n) % N_INNER_FOLDS
    errors = np.zeros(len(PENALTIES))
    for fold in range(N_INNER_FOLDS):
        fit, held = inner != fold, inner == fold
        weights, bias = _solve_ridge(coded[fit].reshape(-1, p), np.repeat(target[fit], per_patient), PENALTIES)
        errors += ((coded[held, 0] @ weights + bias - target[held, None]) ** 2).sum(0)
    best = PENALTIES[int(errors.argmin())]
    weights, bias = _solve_ridge(coded.reshape(-1, p), np.repeat(target, per_patient), (best,))
    scaled = weights[:, 0] / spread
    return ImageHead(scaled, float(bias - scaled @ centre)), best


def _solve_ridge(X: Floats, y: Floats, penalties: tuple[float, ...]) -> tuple[Floats, float]:
    """Ridge weights (p, number of penalties) and the common bias, by one eigendecomposition of the Gram matrix."""
    mean, bias = X.mean(0), float(y.mean())
    centred, residual = X - mean, y - bias
    if len(X) < X.shape[1]:
        values, vectors = np.linalg.eigh(centred @ centred.T)
        rotated = vectors.T @ residual
        weights = centred.T @ (vectors @ np.stack([rotated / (values + penalty) for penalty in penalties], axis=1))
    else:
        values, vectors = np.linalg.eigh(centred.T @ centred)
        rotated = vectors.T @ (centred.T @ residual)
        weights = vectors @ np.stack([rotated / (values + penalty) for penalty in penalties], axis=1)
    return weights, bias


def fit_fusion(score: Floats | None, coded: Floats, y: Floats, terms: tuple[Term, ...], *, seed: int) -> FusionHead:
    """Join the image score with clinical terms by logistic regression without penalty.

    Where the classes are separated, which has no finite maximum, Firth's penalised likelihood is used instead
    (Firth D. Biometrika 1993).

    Parameters
    ----------
    score : ndarray of float64, (n,), or None
        Out-of-fold image score; None for a model without the image.
    coded : ndarray of float64, (n, K)
        Coded clinical terms; K may be 0.
    y : ndarray of float64, (n,)
        Outcome, 0 or 1.
    terms : tuple of Term
        Coding of the columns of `coded`.
    seed : int
        Seed of the patient-level bootstrap.

    Returns
    -------
    FusionHead
        Coefficients and those of 500 bootstrap refits.

    Raises
    ------
    WorkError
        If one class has fewer than three patients.
    """
    if min(y.sum(), (1 - y).sum()) < 3:
        raise WorkError(
            f"Of {len(y)} training patients {int(y.sum())} are positive: at least 3 of each class are needed."
        )
    design = np.column_stack([np.ones(len(y)), np.zeros(len(y)) if score is None else score, coded])
    used = np.array([True, score is not None, *[True] * len(terms)])
    coefs = _fit_full(design, y, used)
    rng = np.random.default_rng(seed)
    bootstrap = np.stack([_fit_full(design[rows], y[rows], used) for rows in _resample(rng, y)])
    return FusionHead(float(coefs[0]), float(coefs[1]), terms, coefs[2:], bootstrap)


def _fit_full(design: Floats, y: Floats, used: NDArray[np.bool_]) -> Floats:
    """Fit the used columns that vary; the others get the coefficient 0."""
    varies = used & np.array([True, *(np.ptp(design[:, 1:], axis=0) > 0)])
    coefs = np.zeros(design.shape[1])
    fit = fit_logistic(design[:, varies], y)
    coefs[varies] = _fit_firth(design[:, varies], y) if fit is None else fit.coef
    return coefs


def _fit_firth(design: Floats, y: Floats) -> Floats:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = FirthLogisticRegression(fit_intercept=False).fit(design, y)
    return np.asarray(model.coef_, dtype=np.float64).ravel()


def _resample(rng: np.random.Generator, y: Floats) -> list[NDArray[np.int64]]:
    """Draw patients with replacement, within each class so that no draw lacks one."""
    classes = [np.flatnonzero(y == value) for value in (0, 1)]
    return [np.concatenate([rng.choice(rows, len(rows)) for rows in classes]) for _ in range(N_BOOTSTRAP)]

"""Optimism of the whole fit, and how it grows with the number of patients."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, log_expit
from sklearn.metrics import roc_auc_score

from core.training.bundle.fusion import fit_ridge_logistic
from core.training.bundle.whole_fit import LEAST_OF_A_CLASS, Model, Study, WholeFit, fit_whole

Floats = NDArray[np.float64]
CURVE_SIZES = (60, 100, 150, 200)
CURVE_DRAWS = 12
NO_PENALTY = 1e-9


def measure_optimism(study: Study, name: str, whole: WholeFit, refits: Sequence[WholeFit]) -> dict[str, object]:
    """Correct AUC and calibration slope on the training patients for optimism."""
    ones = np.ones(len(study.y))
    apparent = _measure(_predict(whole, name), study.y, ones)
    gaps = []
    for fit in refits:
        linear = _predict(fit, name)
        gaps.append(_measure(linear, study.y, fit.weight) - _measure(linear, study.y, ones))
    optimism = np.mean(gaps, axis=0)
    r2 = _measure_r2(_predict(whole, name), study.y)
    return {"n": len(study.y), "n_refits": len(refits), "r2_cox_snell": r2} | {
        key: {"apparent": float(a), "optimism": float(o), "corrected": float(a - o)}
        for key, a, o in zip(("auc", "slope"), apparent, optimism, strict=True)
    }


def measure_learning_curve(study: Study, name: str, model: Model, held: Study, *, seed: int) -> list[dict[str, float]]:
    """Fit on ever more training patients, drawn without replacement, and test on patients of another split.

    Parameters
    ----------
    study : Study
        Training patients.
    name, model : str, Model
        The fusion.
    held : Study
        Patients to test on, in the same feature space; only its coordinates, terms and outcome are read.
    seed : int
        Seed of the draws.

    Returns
    -------
    list of dict
        n_train, draws, AUC and calibration slope: mean and standard deviation over the draws.
    """
    rng = np.random.default_rng([seed, 2])
    n = len(study.y)
    rows = []
    for size in [*(size for size in CURVE_SIZES if size < n), n]:
        figures = []
        for _ in range(CURVE_DRAWS if size < n else 1):
            weight = np.zeros(n)
            weight[rng.permutation(n)[:size]] = 1.0
            if min(weight @ study.y, weight @ (1 - study.y)) < LEAST_OF_A_CLASS:
                continue
            fit = fit_whole(study, {name: model}, weight, rng)
            linear = _predict_others(fit, name, model, held)
            figures.append(_measure(linear, held.y, np.ones(len(held.y))))
        if figures:
            mean, spread = np.mean(figures, axis=0), np.std(figures, axis=0)
            rows.append(
                {
                    "n_train": size,
                    "draws": len(figures),
                    "auc": float(mean[0]),
                    "auc_sd": float(spread[0]),
                    "slope": float(mean[1]),
                    "slope_sd": float(spread[1]),
                }
            )
    return rows


def _predict(fit: WholeFit, name: str) -> Floats:
    """Log-odds of the training patients on their out-of-fold scores."""
    fusion = fit.fusions[name]
    return np.asarray(fusion.coefs[0] + fusion.inputs.filled @ fusion.coefs[1:])


def _predict_others(fit: WholeFit, name: str, model: Model, held: Study) -> Floats:
    fusion = fit.fusions[name]
    score = held.space.own @ fit.image.weights + fit.image.bias
    inputs = np.column_stack([score, held.coded[:, list(model.columns)]])
    return np.asarray(fusion.coefs[0] + np.where(np.isnan(inputs), fusion.inputs.mean, inputs) @ fusion.coefs[1:])


def _measure_r2(linear: Floats, y: Floats) -> float:
    """Cox-Snell R squared, 1 - exp(-2 (loglik - null loglik) / n)."""
    share = y.mean()
    gain = np.mean(log_expit(np.where(y == 1, linear, -linear)))
    null = share * np.log(share) + (1 - share) * np.log(1 - share)
    return float(1 - np.exp(-2 * (gain - null)))


def _measure(linear: Floats, y: Floats, weight: Floats) -> Floats:
    """AUC and calibration slope."""
    slope = fit_ridge_logistic(linear[:, None], y, weight[None], np.array([NO_PENALTY]))[0, 1]
    return np.array([roc_auc_score(y, expit(linear), sample_weight=weight), slope])

"""How a model would have differed with other patients, and at a centre that it had not seen."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

from core.evaluation import compute_calibration, compute_roc, pool_random_effects
from core.training.bundle.whole_fit import Model, Study, WholeFit, fit_whole

Floats = NDArray[np.float64]
RANGE = (2.5, 97.5)


def measure_instability(study: Study, name: str, whole: WholeFit, refits: Sequence[WholeFit]) -> dict[str, object]:
    """Compare each training patient's probability with what the refits give the same patient."""
    own = _predict_own(study, whole, name)
    others = np.stack([_predict_own(study, fit, name) for fit in refits])
    low, high = np.percentile(others, RANGE, axis=0)
    order = np.argsort(own, kind="stable")
    points = np.column_stack([own, low, high])[order].round(4)
    return {"n_refits": len(refits), "error": float(np.abs(others - own).mean()), "points": points.tolist()}


def measure_left_out_centres(study: Study, model: Model, centres: Sequence[str], *, seed: int) -> dict[str, object]:
    """Fit without each centre's training patients, and test on them."""
    rows: list[dict[str, object]] = []
    scale: dict[str, list[tuple[float | None, float | None]]] = {"auc": [], "slope": []}
    for number, centre in enumerate(centres if len(centres) > 1 else ()):
        out = study.centre == number
        fit = fit_whole(study, {"model": model}, (~out).astype(np.float64), np.random.default_rng([seed, 4, number]))
        prob, y = _predict_own(study, fit, "model")[out], study.y[out]
        roc, calibration = compute_roc(y, prob), compute_calibration(y, prob, role="external")
        rows.append(
            {"centre": centre, "n": len(y), "events": int(y.sum()), "auc": roc.auc, "auc_ci": roc.auc_ci}
            | {"slope": calibration.slope, "slope_ci": _interval(calibration.slope, calibration.slope_se)}
        )
        scale["auc"].append(_to_logit(roc.auc, roc.auc_se))
        scale["slope"].append((calibration.slope, calibration.slope_se))
    return {"centres": rows, "pooled": {name: _pool(pairs, name == "auc") for name, pairs in scale.items()}}


def _predict_own(study: Study, fit: WholeFit, name: str) -> Floats:
    """Probability of the training patients by the head for new patients."""
    fusion = fit.fusions[name]
    score = study.space.own @ fit.image.weights + fit.image.bias
    inputs = np.column_stack([score, fusion.inputs.filled[:, 1:]])
    return np.asarray(expit(fusion.coefs[0] + inputs @ fusion.coefs[1:]))


def _interval(estimate: float | None, se: float | None) -> tuple[float, float] | None:
    return None if estimate is None or se is None else (estimate - 1.96 * se, estimate + 1.96 * se)


def _to_logit(auc: float | None, se: float | None) -> tuple[float, float]:
    if auc is None or se is None or not 0 < auc < 1:
        return float("nan"), float("nan")
    return float(logit(auc)), se / (auc * (1 - auc))


def _pool(pairs: Sequence[tuple[float | None, float | None]], back: bool) -> dict[str, object] | None:
    values = np.array(pairs, dtype=np.float64).reshape(-1, 2)
    pooled = pool_random_effects(values[:, 0], values[:, 1])
    if pooled.estimate is None:
        return None

    def show(interval: tuple[float, float] | None) -> list[float] | None:
        return None if interval is None else [float(expit(v)) if back else float(v) for v in interval]

    estimate = float(expit(pooled.estimate)) if back else pooled.estimate
    return {"estimate": estimate, "ci": show(pooled.ci), "prediction": show(pooled.prediction)}

"""Calibration: whether the predicted probabilities hold."""

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.special import chdtrc, ndtr

from core.errors import InputError
from core.evaluation.calibration.hosmer_lemeshow import HosmerLemeshow, compute_hosmer_lemeshow, group_by_risk
from core.evaluation.calibration.ici_interval import compute_ici_interval
from core.evaluation.calibration.logistic import compute_log_likelihood, compute_log_odds, fit_logistic
from core.evaluation.calibration.smooth import MIN_DISTINCT, Smoother, smooth_outcome
from core.evaluation.checks import Floats, Interval, check_conf_level, prepare_outcome
from core.evaluation.proportion import normal_quantile

Role = Literal["external", "development"]
MOSTLY_CERTAIN = "Most probabilities are exactly 0 or 1, where log-odds have no end: they are decisions."


@dataclass(frozen=True, eq=False)
class CalibrationResult:
    """Agreement of predicted and observed probabilities; what can't be estimated is None.

    Attributes
    ----------
    n, events : int
        Complete rows and positives.
    mean_prob, observed_rate : float or None
        Expected and observed proportion.
    intercept, intercept_se, intercept_ci : float, float, tuple
        Calibration in the large: constant of a logistic model with the logit as offset; ideal 0.
    slope, slope_se, slope_ci : float, float, tuple
        Coefficient of the logit in another logistic model; ideal 1.
    joint_intercept : float
        Constant of that second model.
    lr_chisq, lr_p : float
        Likelihood-ratio test of intercept 0 and slope 1 together, 2 df.
    oe, oe_ci : float, tuple
        Observed over expected events, interval on the log scale.
    brier, scaled_brier, log_loss : float
        Mean squared error, its share below the null model's, mean negative log-likelihood.
    brier_ci, scaled_brier_ci : tuple
        Normal limits from each patient's influence; those of the Brier score within [0, 1].
    ici, e50, e90, emax : float
        Mean, median, 90th centile and maximum of ``|smoothed(p) - p|``.
    ici_ci : tuple
        Bootstrap limits, where they were asked for.
    smoother : {"loess", "spline"} or None
        What smoothed the outcome for them and for `curve`.
    hosmer_lemeshow : HosmerLemeshow
        Secondary test.
    spiegelhalter_z, spiegelhalter_p : float
        Spiegelhalter's test.
    curve : DataFrame
        ``prob, observed, ci_low, ci_high``.
    bins : DataFrame
        ``n, events, mean_prob, observed, ci_low, ci_high, expected`` by decile of risk.
    histogram : DataFrame
        ``prob, events, nonevents``: counts in fifty bins of 0.02, `prob` the bin's middle.
    role : {"external", "development"}
        Where the predictions come from.
    n_excluded : int
        Rows left out because the outcome or the probability is missing.
    reasons : dict of str to str
        Field name to the reason why it is None.
    note : str or None
        What to bear in mind.
    """

    n: int
    events: int
    curve: pd.DataFrame
    bins: pd.DataFrame
    histogram: pd.DataFrame
    hosmer_lemeshow: HosmerLemeshow
    role: Role
    reasons: dict[str, str]
    mean_prob: float | None = None
    observed_rate: float | None = None
    intercept: float | None = None
    intercept_se: float | None = None
    intercept_ci: Interval | None = None
    slope: float | None = None
    slope_se: float | None = None
    slope_ci: Interval | None = None
    joint_intercept: float | None = None
    lr_chisq: float | None = None
    lr_p: float | None = None
    oe: float | None = None
    oe_ci: Interval | None = None
    brier: float | None = None
    brier_ci: Interval | None = None
    scaled_brier: float | None = None
    scaled_brier_ci: Interval | None = None
    log_loss: float | None = None
    ici: float | None = None
    ici_ci: Interval | None = None
    e50: float | None = None
    e90: float | None = None
    emax: float | None = None
    spiegelhalter_z: float | None = None
    spiegelhalter_p: float | None = None
    smoother: Smoother | None = None
    conf_level: float = 0.95
    n_excluded: int = 0
    note: str | None = None

    @property
    def reason(self) -> str | None:
        """All reasons and the note in one line, each once."""
        return " ".join(dict.fromkeys([*self.reasons.values(), *([self.note] if self.note else [])])) or None


def compute_calibration(
    y: ArrayLike,
    prob: ArrayLike,
    *,
    role: Role = "external",
    conf_level: float = 0.95,
    ici_interval: bool = False,
) -> CalibrationResult:
    """Compute calibration in the large, slope, curve and scores.

    Parameters
    ----------
    y : array-like, shape (n,)
        Outcome, 1 for the positive class.
    prob : array-like, shape (n,)
        Predicted probability of the positive class.
    role : {"external", "development"}
        Whether the model was fitted on other patients or on these.
    ici_interval : bool
        Whether to resample for the ICI's interval, which takes most of the time.

    Returns
    -------
    CalibrationResult
        The estimates; `reasons` says which could not be made and why.

    Raises
    ------
    InputError
        If the outcome is not 0/1, a probability lies outside [0, 1], lengths differ or the role is unknown.

    Notes
    -----
    Van Calster et al., BMC Med 2019;17:230. ICI, E50, E90, Emax: Austin and Steyerberg, Stat Med 2019;38:4051-4065.
    Spiegelhalter: Stat Med 1986;5:421-433. O/E: ``exp(log(O/E) -+ z sqrt((1 - O/n) / O))``. The Brier score B is a
    mean: ``B -+ z sd((y - p)^2) / sqrt(n)``; the scaled one, ``1 - B / V`` with V = r (1 - r), r the observed rate, has
    the influence ``-((y - p)^2 - B) / V + B (1 - 2 r) (y - r) / V^2``.
    """
    if role not in {"external", "development"}:
        raise InputError(f"The role '{role}' is not known; take external or development.")
    check_conf_level(conf_level)
    outcome, (p,), keep = prepare_outcome(y, prob, probability=True)
    fields, reasons = compute_calibration_terms(outcome, p, conf_level)
    smoothed = smooth_outcome(outcome, p, conf_level)
    curve = pd.DataFrame(columns=["prob", "observed", "ci_low", "ci_high"], dtype=np.float64)
    if smoothed is None:
        reasons |= dict.fromkeys(("ici", "e50", "e90", "emax"), _describe_no_curve(p))
    else:
        curve, gap = smoothed.curve, np.abs(smoothed.fitted - p)
        e50, e90 = np.quantile(gap, [0.5, 0.9])
        fields |= {"ici": float(gap.mean()), "e50": float(e50), "e90": float(e90), "emax": float(gap.max())}
        fields["smoother"] = smoothed.smoother
        if ici_interval:
            fields["ici_ci"], reason = compute_ici_interval(outcome, p, fields["ici"], conf_level)
            reasons |= {"ici_ci": reason} if reason else {}
    bins = group_by_risk(outcome, p, conf_level)
    return CalibrationResult(
        len(outcome),
        int(outcome.sum()),
        curve,
        bins,
        _count_histogram(outcome, p),
        compute_hosmer_lemeshow(bins, role),
        role,
        reasons,
        conf_level=conf_level,
        n_excluded=int((~keep).sum()),
        note=_describe_certain(p),
        **fields,
    )


def _describe_no_curve(p: Floats) -> str:
    if len(np.unique(p)) < MIN_DISTINCT:
        return f"The curve needs at least {MIN_DISTINCT} different predictions."
    return "No curve could be fitted: the predictions separate the classes, or too few of them differ."


def _describe_certain(p: Floats) -> str | None:
    certain = _count_certain(p)
    if not certain or 2 * certain > len(p):
        return None
    plural = "probability is" if certain == 1 else "probabilities are"
    return f"{certain} {plural} exactly 0 or 1, counted as 1e-8 or 1 - 1e-8 in intercept, slope, log loss and spline."


def _count_certain(p: Floats) -> int:
    return int(((p == 0) | (p == 1)).sum())


def compute_calibration_terms(y: Floats, p: Floats, conf_level: float = 0.95) -> tuple[dict[str, Any], dict[str, str]]:
    """Compute what of calibration needs no curve."""
    if not len(y):
        return {}, {"n": "No row has both an outcome and a probability."}
    reasons: dict[str, str] = {}
    fields = _compute_scores(y, p, normal_quantile(conf_level), reasons)
    fields |= _compute_recalibration(y, p, normal_quantile(conf_level), reasons)
    return fields, reasons


def _compute_scores(y: Floats, p: Floats, z: float, reasons: dict[str, str]) -> dict[str, object]:
    n, events, expected = len(y), float(y.sum()), float(p.sum())
    errors = (y - p) ** 2
    rate, brier = events / n, float(errors.mean())
    fields: dict[str, object] = {"mean_prob": expected / n, "observed_rate": rate, "brier": brier}
    if n > 1:
        half = z * float(errors.std(ddof=1)) / math.sqrt(n)
        fields["brier_ci"] = (max(0.0, brier - half), min(1.0, brier + half))
    if 0 < rate < 1:
        variance = rate * (1 - rate)
        scaled = 1 - brier / variance
        influence = -(errors - brier) / variance + brier * (1 - 2 * rate) * (y - rate) / variance**2
        half = z * float(influence.std(ddof=1)) / math.sqrt(n)
        fields |= {"scaled_brier": scaled, "scaled_brier_ci": (scaled - half, scaled + half)}
    else:
        reasons["scaled_brier"] = "All patients have the same outcome."
    if not events or not expected:
        reasons["oe"] = "O/E needs at least one event and a probability above 0."
    elif events == n:
        fields["oe"] = events / expected
        reasons["oe_ci"] = "Every patient has the event, so the interval of O/E would have no width."
    else:
        ratio, spread = events / expected, math.exp(z * math.sqrt((1 - rate) / events))
        fields |= {"oe": ratio, "oe_ci": (ratio / spread, ratio * spread)}
    variance = float((p * (1 - p) * (1 - 2 * p) ** 2).sum())
    if variance > 0:
        statistic = float(((y - p) * (1 - 2 * p)).sum()) / math.sqrt(variance)
        fields |= {"spiegelhalter_z": statistic, "spiegelhalter_p": float(2 * ndtr(-abs(statistic)))}
    else:
        reasons["spiegelhalter_z"] = "All probabilities are 0, 0.5 or 1."
    return fields


def _compute_recalibration(y: Floats, p: Floats, z: float, reasons: dict[str, str]) -> dict[str, object]:
    if 2 * _count_certain(p) > len(p):
        reasons |= dict.fromkeys(("intercept", "slope", "log_loss"), MOSTLY_CERTAIN)
        return {}
    linear = compute_log_odds(p)
    loglik = compute_log_likelihood(linear, y)
    fields: dict[str, object] = {"log_loss": -loglik / len(y)}
    if y.min() == y.max():
        reasons |= dict.fromkeys(("intercept", "slope"), "All patients have the same outcome.")
        return fields
    constant = np.ones((len(y), 1))
    large = fit_logistic(constant, y, offset=linear)
    if large is None:
        reasons["intercept"] = "The model with the logit as offset has no finite solution."
    else:
        fields |= _describe_term("intercept", float(large.coef[0]), float(large.se[0]), z)
    both = fit_logistic(np.column_stack([constant, linear]), y)
    if both is None:
        reasons["slope"] = "The predictions do not vary, or they separate the classes completely."
        return fields
    chisq = max(0.0, 2 * (both.loglik - loglik))
    fields |= _describe_term("slope", float(both.coef[1]), float(both.se[1]), z)
    return fields | {"joint_intercept": float(both.coef[0]), "lr_chisq": chisq, "lr_p": float(chdtrc(2, chisq))}


def _describe_term(name: str, value: float, se: float, z: float) -> dict[str, object]:
    return {name: value, f"{name}_se": se, f"{name}_ci": (value - z * se, value + z * se)}


def _count_histogram(y: Floats, p: Floats) -> pd.DataFrame:
    edges = np.linspace(0, 1, 51)
    events, nonevents = np.histogram(p[y == 1], edges)[0], np.histogram(p[y == 0], edges)[0]
    return pd.DataFrame({"prob": (edges[:-1] + edges[1:]) / 2, "events": events, "nonevents": nonevents})

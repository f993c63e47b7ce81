"""Cox regression with Efron's treatment of ties."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.special import chdtrc, ndtr

from core.errors import InputError
from core.evaluation.checks import Floats, check_conf_level, check_lengths, prepare_column, prepare_survival
from core.evaluation.cohort.labels import label_variable
from core.evaluation.proportion import normal_quantile
from core.evaluation.survival.concordance import count_later_pairs
from core.evaluation.survival.cox_likelihood import NoMaximum, Stratum, build_stratum, maximise, sum_over_time
from core.evaluation.survival.life_table import build_life_table, read_survival

COLUMNS = ["coef", "se", "hr", "ci_low", "ci_high", "z", "p"]


@dataclass(frozen=True, eq=False)
class CoxResult:
    """A fitted Cox model.

    Attributes
    ----------
    table : DataFrame
        ``coef, se, hr, ci_low, ci_high, z, p`` indexed by term; limits are of the hazard ratio.
    ties : str
        "efron".
    concordance : float or None
        C index of the linear predictor, within strata.
    n, events : int
        Complete patients and events.
    loglik : float or None
        Partial log-likelihood at the estimate.
    proportional_hazards : DataFrame
        ``chisq, df, p`` indexed by term, the last one "GLOBAL": score test of a coefficient that changes with
        ``1 - S(t-)``, as R's ``cox.zph``.
    n_excluded : int
        Rows left out because something is missing.
    reason : str or None
        Why something could not be estimated.
    """

    table: pd.DataFrame
    concordance: float | None
    n: int
    events: int
    loglik: float | None
    proportional_hazards: pd.DataFrame
    ties: str = "efron"
    conf_level: float = 0.95
    n_excluded: int = 0
    reason: str | None = None


def compute_cox(
    time: ArrayLike,
    event: ArrayLike,
    covariates: pd.DataFrame | pd.Series | Mapping[str, ArrayLike],
    *,
    strata: ArrayLike | None = None,
    conf_level: float = 0.95,
) -> CoxResult:
    """Fit a Cox model.

    Parameters
    ----------
    time, event : array-like, shape (n,)
        Follow-up and event (1) or censoring (0).
    covariates : DataFrame, Series or mapping of str to array-like, shape (n,)
        Terms known at time zero. A column of labels is coded as R codes a factor: one 0/1 term a level against the
        first level (of its categories, or in sorted order), named by column and level, such as "horThyes".
    strata : array-like, shape (n,), optional
        Labels with a baseline hazard of their own.

    Returns
    -------
    CoxResult
        NaN with a reason for a term that does not vary, and for all terms when there is no finite maximum.

    Raises
    ------
    InputError
        If there is no term or lengths differ.

    Notes
    -----
    Efron, JASA 1977;72:557-565. Proportional hazards: Grambsch and Therneau, Biometrika 1994;81:515-526, as a score
    test.
    """
    check_conf_level(conf_level)
    coded = _code_terms(covariates)
    names = list(coded)
    times, events, terms, keep = prepare_survival(time, event, *coded.values())
    layers = pd.Series(np.zeros(len(keep)) if strata is None else np.asarray(strata))
    check_lengths([keep, layers.to_numpy()])
    inner = layers.notna().to_numpy()[keep]
    code = pd.factorize(layers[keep][inner])[0]
    design = np.column_stack(terms)[inner]
    times, events = times[inner], events[inner]
    excluded = len(keep) - len(times)
    varies = np.ptp(design, axis=0) > 0 if len(design) else np.zeros(len(names), dtype=bool)
    table = pd.DataFrame(np.nan, index=pd.Index(names, name="term"), columns=COLUMNS)
    total = int(events.sum())
    reason = _describe_no_fit(total, varies)
    fit = None if reason else _fit(times, events, design[:, varies], code)
    if fit is None or isinstance(fit, NoMaximum):
        reason = reason or _describe_no_maximum(fit, [name for name, kept in zip(names, varies, strict=True) if kept])
        empty = pd.DataFrame(columns=["chisq", "df", "p"], dtype=np.float64)
        return CoxResult(table, None, len(times), total, None, empty, "efron", conf_level, excluded, reason)
    coef, cov, loglik, zph = fit
    se, z = np.sqrt(np.diag(cov)), normal_quantile(conf_level)
    with np.errstate(over="ignore"):
        limits = np.exp(coef - z * se), np.exp(coef + z * se)
    values = [coef, se, np.exp(coef), *limits, coef / se, 2 * ndtr(-np.abs(coef / se))]
    table.loc[varies, COLUMNS] = np.column_stack(values)
    index = [*(name for name, kept in zip(names, varies, strict=True) if kept), "GLOBAL"]
    tests = pd.DataFrame(zph, index=pd.Index(index, name="term"), columns=["chisq", "df", "p"])
    concordance = _compute_c(times, events, (design[:, varies] * coef).sum(axis=1), code)
    if not varies.all():
        reason = "A term that does not vary was left out."
    return CoxResult(table, concordance, len(times), total, loglik, tests, "efron", conf_level, excluded, reason)


def _code_terms(covariates: pd.DataFrame | pd.Series | Mapping[str, ArrayLike]) -> dict[str, Floats]:
    """Turn covariates into numeric terms; labels become indicators, missing where the label is."""
    given = covariates.to_frame() if isinstance(covariates, pd.Series) else covariates
    terms: dict[str, Floats] = {}
    for name, values in dict(given).items():
        column = pd.Series(values).reset_index(drop=True)
        labels = column.astype("category")
        if column.dtype != labels.dtype and pd.to_numeric(column, errors="coerce").notna().equals(column.notna()):
            terms[str(name)] = prepare_column(column, str(name))
            continue
        for level in labels.cat.categories[1:]:
            terms[f"{name}{level}"] = (labels == level).to_numpy(np.float64, copy=True)
            terms[f"{name}{level}"][labels.isna()] = np.nan
    if not terms:
        raise InputError("A Cox model needs at least one term; give a column with two values or more.")
    return terms


def _describe_no_fit(events: int, varies: np.ndarray) -> str | None:
    if events == 0:
        return "No events."
    return None if varies.any() else "No term varies between patients."


def _describe_no_maximum(cause: NoMaximum | None, names: list[str]) -> str:
    involved = " and ".join(label_variable(names[index]) for index in cause.terms) if cause else ""
    if cause and cause.separated:
        verb = "separates" if len(cause.terms) == 1 else "together separate"
        return f"{involved} {verb} patients with an event from those without: the hazard ratio has no finite estimate."
    return f"The likelihood has no single maximum: {involved} repeat each other, or do not vary among those at risk."


def _fit(
    time: Floats, event: Floats, design: Floats, code: np.ndarray
) -> tuple[Floats, Floats, float, list[list[float]]] | NoMaximum:
    centre, scale = design.mean(axis=0), design.std(axis=0)
    scaled = (design - centre) / scale
    strata = [build_stratum(time[code == k], event[code == k], scaled[code == k]) for k in np.unique(code)]
    best = maximise(strata)
    if isinstance(best, NoMaximum):
        return best
    beta, cov, loglik = best
    table = build_life_table(time, event)
    zph = _test_proportional(strata, beta, [1 - read_survival(table, s.moments, just_before=True) for s in strata])
    return beta / scale, cov / np.outer(scale, scale), loglik, zph


def _test_proportional(strata: list[Stratum], beta: Floats, weights: list[Floats]) -> list[list[float]]:
    """Score tests that a coefficient does not change with the weight, for each term and for all."""
    size = len(beta)
    score, plain, crossed, squared = sum_over_time(strata, beta, weights)
    adjusted = squared - crossed @ np.linalg.pinv(plain) @ crossed
    tests = []
    for index in range(size):
        chisq = float(score[index] ** 2 / adjusted[index, index]) if adjusted[index, index] > 1e-12 else np.nan
        tests.append([chisq, 1.0, float(chdtrc(1, chisq))])
    chisq = float(score @ np.linalg.pinv(adjusted) @ score) if np.linalg.matrix_rank(adjusted) == size else np.nan
    return [*tests, [chisq, float(size), float(chdtrc(size, chisq))]]


def _compute_c(time: Floats, event: Floats, linear: Floats, code: np.ndarray) -> float | None:
    agreeing, comparable = 0.0, 0.0
    for layer in np.unique(code):
        chosen = code == layer
        own, possible = count_later_pairs(time[chosen], event[chosen], linear[chosen])
        agreeing, comparable = agreeing + own.sum(), comparable + possible.sum()
    return float(agreeing / comparable) if comparable else None

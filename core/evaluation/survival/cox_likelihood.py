"""Efron's partial likelihood; lifelines' fit names no separated terms and gives no sums for R's test of hazards."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.evaluation.checks import Floats

MAX_STEPS, TOLERANCE = 40, 1e-10
FLAT, REPEATED, INVOLVED = 1e-7, 1e-12, 0.1
MAX_LOG_RATIO = 300.0


@dataclass(frozen=True, eq=False)
class Stratum:
    """Rows of one stratum in order of decreasing time."""

    design: Floats  # (n, k), terms
    event: Floats  # (n,), events
    last: NDArray[np.int64]  # (m,), for each event, the last row that is still at risk at its time
    tie: NDArray[np.int64]  # (m,), for each event, its moment's number
    share: Floats  # (m,), for each event, the share of its tied events that Efron takes out of the risk set
    moments: Floats  # (m,), time of each event


def build_stratum(time: Floats, event: Floats, design: Floats) -> Stratum:
    """Sort one stratum and find its risk sets."""
    order = np.lexsort((1 - event, -time))
    ordered, events = time[order], event[order]
    rows = np.flatnonzero(events == 1)
    moments = ordered[rows]
    last = np.searchsorted(-ordered, -moments, side="right") - 1
    _, first, tie, count = np.unique(-moments, return_index=True, return_inverse=True, return_counts=True)
    share = (np.arange(len(rows)) - first[tie]) / count[tie]
    return Stratum(design[order], events, last, tie, share, moments)


@dataclass(frozen=True, eq=False)
class NoMaximum:
    """Why the partial likelihood has no finite maximum."""

    terms: NDArray[np.int64]  # columns of the design that are involved
    # whether they separate the events, so that the likelihood rises for ever; else they repeat each other, or do not
    # differ among patients who are at risk together
    separated: bool


def maximise(strata: list[Stratum]) -> tuple[Floats, Floats, float] | NoMaximum:
    """Maximise the partial likelihood by Newton's method with step halving.

    Where terms separate the events, each Newton step takes the information along them down by a factor of about e
    while the likelihood hardly rises: below 1e-7 of what it is at 0 the maximum is at infinity (Heinze and Schemper,
    Biometrics 2001;57:114-119). So it is where two patients' hazards differ by a factor of e^300.
    """
    beta = np.zeros(strata[0].design.shape[1])
    loglik, gradient, information = _evaluate(strata, beta)
    values, vectors = np.linalg.eigh(information)
    if values[0] <= REPEATED * max(values[-1], 1.0):
        return NoMaximum(_find_involved(vectors[:, 0]), separated=False)
    whiten = vectors / np.sqrt(values)
    for _ in range(MAX_STEPS):
        left, directions = np.linalg.eigh(whiten.T @ information @ whiten)
        reach = max(float(np.ptp(stratum.design @ beta)) for stratum in strata)
        if left[0] < FLAT or reach > MAX_LOG_RATIO:
            return NoMaximum(_find_involved(whiten @ directions[:, 0]), separated=True)
        step = np.asarray(np.linalg.solve(information, gradient), dtype=np.float64)
        for _ in range(30):
            candidate = _evaluate(strata, beta + step)
            if np.isfinite(candidate[0]) and candidate[0] >= loglik - 1e-12 * abs(loglik):
                break
            step /= 2
        else:
            break
        beta, (loglik, gradient, information) = beta + step, candidate
        if np.abs(step).max() < TOLERANCE * (1 + np.abs(beta).max()):
            return beta, np.asarray(np.linalg.inv(information), dtype=np.float64), loglik
    return NoMaximum(_find_involved(beta), separated=True)


def _find_involved(direction: Floats) -> NDArray[np.int64]:
    size = np.abs(direction)
    return np.flatnonzero(size > INVOLVED * size.max())


def sum_over_time(strata: list[Stratum], beta: Floats, weights: list[Floats]) -> tuple[Floats, Floats, Floats, Floats]:
    """Sum Schoenfeld residuals and variances, weighted by a function of time."""
    size = len(beta)
    score, sums = np.zeros(size), [np.zeros((size, size)) for _ in range(3)]
    for stratum, weight in zip(strata, weights, strict=True):
        _, mean, variance = _describe_risk_sets(stratum, beta)
        score += weight @ (stratum.design[stratum.event == 1] - mean)
        for power in range(3):
            sums[power] += np.einsum("m,mij->ij", weight**power, variance)
    return score, sums[0], sums[1], sums[2]


def _evaluate(strata: list[Stratum], beta: Floats) -> tuple[float, Floats, Floats]:
    loglik, gradient, information = 0.0, np.zeros(len(beta)), np.zeros((len(beta), len(beta)))
    for stratum in strata:
        log_total, mean, variance = _describe_risk_sets(stratum, beta)
        cases = stratum.design[stratum.event == 1]
        loglik += float((cases @ beta - log_total).sum())
        gradient += (cases - mean).sum(axis=0)
        information += variance.sum(axis=0)
    return loglik, gradient, information


def _describe_risk_sets(stratum: Stratum, beta: Floats) -> tuple[Floats, Floats, Floats]:
    """Log of the total risk (m,), mean (m, k) and variance (m, k, k) of the terms at each event."""
    linear = stratum.design @ beta
    shift = linear.max() if len(linear) else 0.0
    risk = np.exp(linear - shift)
    first = risk[:, None] * stratum.design
    second = first[:, :, None] * stratum.design[:, None, :]
    totals = []
    for moment in (risk, first, second):
        at_risk = np.cumsum(moment, axis=0)[stratum.last]
        tied = np.zeros((int(stratum.tie.max(initial=-1)) + 1, *moment.shape[1:]))
        np.add.at(tied, stratum.tie, moment[stratum.event == 1])
        share = stratum.share.reshape(-1, *[1] * (moment.ndim - 1))
        totals.append(at_risk - share * tied[stratum.tie])
    with np.errstate(divide="ignore", invalid="ignore"):  # a step too far leaves no risk: not a number, and is halved
        total, mean = totals[0], totals[1] / totals[0][:, None]
        variance = totals[2] / total[:, None, None] - mean[:, :, None] * mean[:, None, :]
        return np.log(total) + shift, mean, variance

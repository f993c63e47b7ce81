"""Whether inputs and image score of a window are distributed as in training.

Numbers are compared by the two-sample Kolmogorov-Smirnov test, choices by Pearson's chi-squared test, and whether a
value is known at all by Fisher's exact test; p values of a window are adjusted together (Benjamini and Hochberg, JRSS B
1995;57:289). How large a difference is says the population stability index, beside what it reaches by chance alone.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy import stats
from scipy.special import chdtrc, chdtri

from core.clinical import BY_NAME, M1_PREDICTORS

Floats = NDArray[np.float64]
Inputs = dict[str, Floats]
Test = Literal["Kolmogorov-Smirnov", "chi-squared", "Fisher's exact", ""]
SCORE, UNKNOWN = "image_score", " not known"
WATCHED = (SCORE, *M1_PREDICTORS)
LABELS = {SCORE: "Image score"}
LABELS |= {name + end: BY_NAME[name].label + end for name in M1_PREDICTORS for end in ("", UNKNOWN)}
COLUMNS = ("input", "label", "n", "test", "statistic", "p", "p_adjusted", "psi", "psi_by_chance")
TENTHS = np.linspace(0.1, 0.9, 9)
LEAST_EXPECTED = 5.0
CHANCE_LEVEL = 0.95
LEAST, LEAST_KNOWN = 50, 30
RELEVANT = 0.1


@dataclass(frozen=True)
class Comparison:
    """One input of a window beside training."""

    n: int  # patients of the window whose value is known
    test: Test = ""  # what was computed; "" where nothing was
    # statistic, p: of the test; NaN where nothing was computed
    statistic: float = np.nan
    p: float = np.nan
    # psi, psi_by_chance: population stability index, and its 95th centile without any drift
    psi: float = np.nan
    psi_by_chance: float = np.nan


def compute_psi(reference: ArrayLike, window: ArrayLike) -> float:
    """Compute the population stability index of two sets of counts by bin, (B,).

    PSI = sum over bins of (q - p) ln(q / p), p and q the shares of training and window, half a patient added to each
    bin so that an empty one has a finite logarithm. It is 0 for equal shares, never negative, and symmetric.
    """
    p, q = (_smooth(np.asarray(counts, dtype=np.float64)) for counts in (reference, window))
    return float(np.sum((q - p) * np.log(q / p)))


def find_chance_psi(bins: int, n: int, n_reference: int) -> float:
    """Give the 95th centile of the index without drift: (1 / n + 1 / m) times that of chi-squared with B - 1 degrees.

    Yurdakul and Naranjo, Journal of Risk Model Validation 2020;14(4):89-100. With 50 patients in ten bins it lies above
    0.3, so that the customary limits of 0.1 and 0.25 alone would mistake chance for drift.
    """
    return float((1 / n + 1 / n_reference) * chdtri(bins - 1, 1 - CHANCE_LEVEL)) if bins > 1 else 0.0


def encode_inputs(table: pd.DataFrame) -> Inputs:
    """Give the image score and each input as numbers, NaN where it is not known; a choice as the place of its level."""
    inputs: Inputs = {}
    for name in WATCHED:
        column = table[name]
        if levels := _list_levels(name):
            places = {level: float(place) for place, level in enumerate(levels)}
            column = column.map(places)
        inputs[name] = column.to_numpy(dtype=np.float64, na_value=np.nan)
    return inputs


def compare_numbers(training: Floats, window: Floats) -> Comparison:
    """Compare a number of a window with training, on known values; bins of the index are deciles of training."""
    own, other = training[~np.isnan(training)], window[~np.isnan(window)]
    if len(other) < LEAST_KNOWN or not len(own):
        return Comparison(len(other))
    edges = np.unique(np.quantile(own, TENTHS))
    counts = [np.bincount(np.searchsorted(edges, x, side="right"), minlength=len(edges) + 1) for x in (own, other)]
    found = stats.ks_2samp(own, other, method="asymp")
    chance = find_chance_psi(len(edges) + 1, len(other), len(own))
    return Comparison(
        len(other), "Kolmogorov-Smirnov", float(found.statistic), float(found.pvalue), compute_psi(*counts), chance
    )


def compare_choices(training: Floats, window: Floats, levels: int) -> Comparison:
    """Compare a choice of a window with training, on known values, given as places of levels.

    Neighbouring levels are joined until 5 patients are expected in each (Cochran, Biometrics 1954;10:417).
    """
    own, other = (
        np.bincount(x[~np.isnan(x)].astype(np.intp), minlength=levels).astype(np.float64) for x in (training, window)
    )
    n_own, n = int(own.sum()), int(other.sum())
    if n < LEAST_KNOWN or not n_own:
        return Comparison(n)
    joined = _join_rare(np.array([own, other]))
    bins = joined.shape[1]
    if bins < 2:
        return Comparison(n, psi=0.0, psi_by_chance=0.0)
    expected = np.outer(joined.sum(axis=1), joined.sum(axis=0)) / joined.sum()
    statistic = float(np.sum((joined - expected) ** 2 / expected))
    p = float(chdtrc(bins - 1, statistic))
    return Comparison(n, "chi-squared", statistic, p, compute_psi(*joined), find_chance_psi(bins, n, n_own))


def compare_known(training: Floats, window: Floats) -> Comparison:
    """Compare how often a value is not known, by Fisher's exact test; the statistic is the share.

    One that was known of no training patient is not compared: the model does not take it.
    """
    n, n_own = len(window), len(training)
    gaps, own_gaps = int(np.isnan(window).sum()), int(np.isnan(training).sum())
    if n < LEAST_KNOWN or own_gaps == n_own:
        return Comparison(n)
    cells = np.array([[gaps, n - gaps], [own_gaps, n_own - own_gaps]])
    p = float(stats.fisher_exact(cells).pvalue) if gaps or own_gaps else 1.0
    psi = compute_psi([own_gaps, n_own - own_gaps], [gaps, n - gaps])
    return Comparison(n, "Fisher's exact", gaps / n, p, psi, find_chance_psi(2, n, n_own))


def compare_window(training: Inputs, window: Inputs) -> pd.DataFrame:
    """Compare every input and the image score of a window with training, both as `encode_inputs` gives them.

    ``input, label, n`` (known), ``test, statistic, p, p_adjusted, psi, psi_by_chance``; the statistic of "not known" is
    its share in the window. NaN where fewer than 30 patients are known.
    """
    rows: dict[str, Comparison] = {}
    for name in WATCHED:
        levels, own, other = len(_list_levels(name)), training[name], window[name]
        rows[name] = compare_choices(own, other, levels) if levels else compare_numbers(own, other)
        if name != SCORE:
            rows[name + UNKNOWN] = compare_known(own, other)
    adjusted = _adjust(np.array([row.p for row in rows.values()]))
    told = [
        {"input": name, "label": LABELS[name], **vars(row), "p_adjusted": p}
        for (name, row), p in zip(rows.items(), adjusted.tolist(), strict=True)
    ]
    return pd.DataFrame(told, columns=list(COLUMNS))


def _list_levels(name: str) -> tuple[str, ...]:
    return BY_NAME[name].levels if name in BY_NAME else ()


def _adjust(p: NDArray[np.float64]) -> NDArray[np.float64]:
    """Adjust the p values that there are by Benjamini and Hochberg."""
    known = ~np.isnan(p)
    adjusted = np.full(len(p), np.nan)
    if known.any():
        adjusted[known] = stats.false_discovery_control(p[known])
    return adjusted


def _smooth(counts: Floats) -> Floats:
    return (counts + 0.5) / (counts.sum() + 0.5 * len(counts))


def _join_rare(counts: Floats) -> Floats:
    """Join neighbouring columns until each row expects 5 in every one."""
    shares, least = counts.sum(axis=0) / counts.sum(), counts.sum(axis=1).min()
    joined: list[Floats] = []
    gathered = np.zeros(2)
    expected = 0.0
    for column, share in zip(counts.T, shares, strict=True):
        gathered, expected = gathered + column, expected + share * least
        if expected >= LEAST_EXPECTED:
            joined.append(gathered)
            gathered, expected = np.zeros(2), 0.0
    if gathered.any():
        joined = [*joined[:-1], joined[-1] + gathered] if joined else [gathered]
    return np.array(joined).T

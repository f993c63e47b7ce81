"""A risk-adjusted CUSUM chart for calibration in the large, its limits by simulation.

Steiner, Cook, Farewell and Treasure, Biostatistics 2000;1:441-452. Each patient adds the log-likelihood ratio of odds
R times those estimated against those estimated: W = y ln R - ln(1 - p + R p); the sum starts again from 0 whenever it
would fall below. One chart watches for R = 2, one for R = 1/2.

The limits keep the share of runs of 1,000 patients in control that reach them at a stated one (the hitting probability
of R's spcadjust, Gandy and Kvaloy 2013), not an average run length: that share can be said to a clinician. In control
an outcome follows the patients' own probabilities.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Side = Literal["more", "fewer"]
ODDS_RATIOS: dict[Side, float] = {"more": 2.0, "fewer": 0.5}
HORIZON = 1_000
RUNS = 5_000
LEAST = 50
SEED = 20_260_507
CERTAIN = 1e-6
MOST_DRAWN = 10_000


@dataclass(frozen=True)
class Crossing:
    """A limit reached; the chart of that side starts anew behind it."""

    side: Side  # "more", "fewer", whether more or fewer patients had a high Ki-67 than estimated
    # start, end: first patient (from 0) of the run that led there, which is where a change most likely began, and the
    # one that reached the limit
    start: int
    end: int
    # observed, expected: high Ki-67 from start to end, as found and as estimated
    observed: int
    expected: float


@dataclass(frozen=True, eq=False)
class CusumResult:
    """The chart of one bundle."""

    n: int  # patients with a known outcome
    path: pd.DataFrame  # (n, 2), ``more, fewer``: the sum after each patient, never negative
    limits: dict[Side, float]  # by side; empty with fewer than 50 patients
    crossings: tuple[Crossing, ...]  # in the order in which they were reached


def compute_scores(p: Floats, y: Floats, odds_ratio: float) -> Floats:
    """Compute W = y ln R - ln(1 - p + R p) of each patient; p is kept a millionth from 0 and 1."""
    p = np.clip(p, CERTAIN, 1 - CERTAIN)
    return y * np.log(odds_ratio) - np.log1p(p * (odds_ratio - 1))


def compute_cusum(p: Floats, y: Floats, *, false_alarms: float) -> CusumResult:
    """Run the chart over patients in their order: probabilities of a high Ki-67 and outcomes (0 or 1).

    `false_alarms` is the share of runs of 1,000 patients in control that may reach a limit, both sides together. With
    fewer than 50 patients no limit and no crossing: what the limits are simulated from, the spread of the patients' own
    probabilities, is not known from fewer.
    """
    limits = simulate_limits(p, false_alarms) if len(p) >= LEAST else {}
    paths, crossings = {}, []
    for side, odds_ratio in ODDS_RATIOS.items():
        paths[side], reached = _follow(compute_scores(p, y, odds_ratio), limits.get(side, np.inf))
        crossings += [
            Crossing(side, start, end, int(y[start : end + 1].sum()), float(p[start : end + 1].sum()))
            for start, end in reached
        ]
    ordered = sorted(crossings, key=lambda one: one.end)
    return CusumResult(len(p), pd.DataFrame(paths), limits, tuple(ordered))


def simulate_limits(p: Floats, false_alarms: float) -> dict[Side, float]:
    """Find the limits by 5,000 runs of 1,000 patients in control, drawn with replacement from those given.

    Half of the stated share falls to each side; of more than 10,000 patients evenly spread ones are drawn. The seed
    is fixed, so that the same patients give the same limits.
    """
    ordered = np.round(np.sort(p), 6)
    if len(ordered) > MOST_DRAWN:
        ordered = ordered[np.linspace(0, len(ordered) - 1, MOST_DRAWN).round().astype(int)]
    return dict(_simulate(ordered.tobytes(), false_alarms))


@lru_cache(maxsize=32)
def _simulate(encoded: bytes, false_alarms: float) -> tuple[tuple[Side, float], ...]:
    p, rng = np.frombuffer(encoded), np.random.default_rng(SEED)
    highest = {side: np.zeros(RUNS) for side in ODDS_RATIOS}
    sums = {side: np.zeros(RUNS) for side in ODDS_RATIOS}
    scores = {
        side: np.concatenate([compute_scores(p, np.full(len(p), y), ratio) for y in (0.0, 1.0)])
        for side, ratio in ODDS_RATIOS.items()
    }
    for patient in range(HORIZON):
        drawn = rng.integers(len(p), size=RUNS)
        drawn += len(p) * (rng.random(RUNS) < p.take(drawn))
        for side in ODDS_RATIOS:
            sums[side] = np.maximum(sums[side] + scores[side].take(drawn), 0.0)
            if patient >= LEAST - 1:
                np.maximum(highest[side], sums[side], out=highest[side])
    allowed = int(RUNS * false_alarms / 2)
    return tuple((side, float(np.sort(values)[::-1][allowed])) for side, values in highest.items())


def _follow(scores: Floats, limit: float) -> tuple[list[float], list[tuple[int, int]]]:
    """Give the sum after each patient, and the first and last patient of each run that passes the limit."""
    path, crossings = [], []
    total, start, since = 0.0, 0, 0
    for i, score in enumerate(scores.tolist()):
        total += score
        if total <= 0.0:
            total, start = 0.0, i + 1
        path.append(total)
        if total > limit and i + 1 - since >= LEAST:
            crossings.append((start, i))
            total, start, since = 0.0, i + 1, i + 1
    return path, crossings

"""What the alarms are worth: runs of simulated centres in control and after a change, by the code that watches.

Patients are drawn with replacement from a bundle's evidence, and outcomes from their own probabilities, so that in
control the model is exactly calibrated. Each run draws its training patients from the same evidence.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit, logit

from core.evaluation import compute_calibration
from core.evaluation.proportion import compute_proportion
from core.monitoring.alarms import FALSE_ALARMS, PERIOD, mark_alarms
from core.monitoring.cusum import CERTAIN, Floats, compute_cusum
from core.monitoring.drift import SCORE, compare_window, encode_inputs
from core.monitoring.windows import SIZE

BEFORE = 220
SEED = 20_260_507
RUNS = 200
PREVALENCES = (0.48, 0.65)
POINTS = 5.0
Watch = Callable[[int, int], object]
NEVER = np.inf


@dataclass(frozen=True)
class Population:
    """Patients to draw from."""

    inputs: dict[str, Floats]  # image score and predictors, encoded
    log_odds: Floats  # (N,), of a high Ki-67, as estimated
    # image_coef, spread: log-odds per unit of the image score; its standard deviation
    image_coef: float
    spread: float
    # by how much the log-odds of a high Ki-67 rise where a laboratory reads 5 points higher: the calibration intercept
    # of these patients with 5 points added, less that without
    laboratory: float
    training: int  # patients that the bundle was trained on


@dataclass(frozen=True)
class Change:
    """What becomes of a centre after its first 220 patients."""

    name: str  # in words
    score: float = 0.0  # by how many standard deviations the image score rises without the patients being others
    prevalence: float | None = None  # share of patients with a high Ki-67
    laboratory: bool = False  # whether the laboratory reads 5 points higher


IN_CONTROL = Change("in control")
CHANGES = (
    Change("device: image score higher by half a standard deviation", score=0.5),
    Change("device: image score higher by a standard deviation", score=1.0),
    Change(f"prevalence {PREVALENCES[0]:.2f} to {PREVALENCES[1]:.2f}", prevalence=PREVALENCES[1]),
    Change(f"laboratory reads {POINTS:g} points higher", laboratory=True),
)


def read_population(
    evidence: pd.DataFrame, cutoff_is_high: Callable[[pd.Series], pd.Series], image_coef: float
) -> Population:
    """Take the patients of a bundle's evidence, with the log-odds per unit of the image score."""
    p = evidence["prob"].to_numpy(dtype=np.float64)
    intercepts = [
        compute_calibration(cutoff_is_high(evidence["ki67_pct"] + points).astype(float), p).intercept
        for points in (0.0, POINTS)
    ]
    return Population(
        encode_inputs(evidence),
        logit(np.clip(p, CERTAIN, 1 - CERTAIN)),
        image_coef,
        float(evidence[SCORE].std()),
        float(intercepts[1] or 0.0) - float(intercepts[0] or 0.0),
        int((evidence["split"] == "train").sum()),
    )


def prove(population: Population, *, runs: int = RUNS, watch: Watch | None = None) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Measure false alarms, and after how many patients each change is found, by so many simulated centres for each.

    First ``by, runs, alarms, share, low, high`` of runs of 1,000 patients in control, with Wilson's interval; then
    ``change, by, runs, found, median, p90``: patients from the change to the first alarm, infinite where fewer than
    half, or nine tenths, of the runs found it within 1,000. `watch` is told runs done and runs in all.
    """
    rng, total = np.random.default_rng(SEED), runs * (1 + len(CHANGES))
    first: dict[str, list[dict[str, float]]] = {}
    for number in range(total):
        change = (IN_CONTROL, *CHANGES)[number // runs]
        first.setdefault(change.name, []).append(_run(population, change, rng))
        if watch is not None:
            watch(number + 1, total)
    found = {name: _find_earliest(pd.DataFrame(rows)) for name, rows in first.items()}
    return _count_false(found.pop(IN_CONTROL.name)), measure_delays(found)


def _run(population: Population, change: Change, rng: np.random.Generator) -> dict[str, float]:
    """Watch one centre; after how many patients since the change each method raised its first alarm."""
    before = 0 if change is IN_CONTROL else BEFORE
    own = draw_patients(population, IN_CONTROL, before, rng)
    later = draw_patients(population, change, PERIOD, rng)
    p, y = (np.concatenate([own[i], later[i]]) for i in (1, 2))
    chart = compute_cusum(p, y, false_alarms=FALSE_ALARMS / 2)
    ends = [one.end + 1 - before for one in chart.crossings if one.end >= before]
    inputs = {name: np.concatenate([own[0][name], later[0][name]]) for name in own[0]}
    places = rng.integers(len(population.log_odds), size=population.training)
    training = {name: column[places] for name, column in population.inputs.items()}
    return {"CUSUM chart": min(ends, default=NEVER), "drift": _find_drift(training, inputs, before)}


def _find_drift(training: dict[str, Floats], inputs: dict[str, Floats], before: int) -> float:
    """Give the last patient since the change of the first window of 50 that raised an alarm."""
    for end in range((before // SIZE + 1) * SIZE, len(inputs[SCORE]) + 1, SIZE):
        window = {name: column[end - SIZE : end] for name, column in inputs.items()}
        if mark_alarms(compare_window(training, window).assign(n_window=SIZE)).any():
            return float(end - before)
    return NEVER


def draw_patients(
    population: Population, change: Change, n: int, rng: np.random.Generator
) -> tuple[dict[str, Floats], Floats, Floats]:
    """Draw patients: inputs, estimated probabilities, outcomes."""
    truth = population.log_odds
    if change.prevalence is None:
        places = rng.integers(len(truth), size=n)
        y = (rng.random(n) < expit(truth[places] + change.laboratory * population.laboratory)).astype(np.float64)
    else:
        y = (rng.random(n) < change.prevalence).astype(np.float64)
        places = _draw_given(truth, y, rng)
    inputs = {name: column[places] for name, column in population.inputs.items()}
    shift = change.score * population.spread
    inputs[SCORE] = inputs[SCORE] + shift
    return inputs, expit(truth[places] + population.image_coef * shift), y


def _draw_given(log_odds: Floats, y: Floats, rng: np.random.Generator) -> NDArray[np.int64]:
    """Draw patients given their outcome: those with a high Ki-67 are those of before, only more of them."""
    p = expit(log_odds)
    places = np.empty(len(y), dtype=np.int64)
    for value, weights in ((1.0, p), (0.0, 1 - p)):
        places[y == value] = rng.choice(len(p), size=int((y == value).sum()), p=weights / weights.sum())
    return places


def _find_earliest(first: pd.DataFrame) -> pd.DataFrame:
    return first.assign(**{"either": first.min(axis=1)})


def _count_false(first: pd.DataFrame) -> pd.DataFrame:
    rows = [(by, len(ends), int(np.isfinite(ends).sum())) for by, ends in first.items()]
    return pd.DataFrame(
        [(by, n, count, *compute_proportion(count, n)) for by, n, count in rows],
        columns=["by", "runs", "alarms", "share", "low", "high"],
    )


def measure_delays(found: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Summarise, for each change and method, after how many patients the runs found it; see `prove`."""
    rows = [
        (name, by, len(ends), int(np.isfinite(ends).sum()), *np.quantile(ends, [0.5, 0.9], method="higher"))
        for name, first in found.items()
        for by, ends in first.items()
    ]
    return pd.DataFrame(rows, columns=["change", "by", "runs", "found", "median", "p90"])

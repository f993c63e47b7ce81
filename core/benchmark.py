"""`python -m core benchmark`: how long the parts take, in one run, interleaved, medians of many."""

import io
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

from core.evaluation import compute_decision_curve, compute_roc, evaluate_cohort
from core.imaging import Frame, Roi, read_frame
from core.inference.predictor import Case, Predictor
from core.simulation import render_patient, simulate_cohort
from models.bundle import Bundle

ROUNDS = 15
SEED = 20260507
SIZES = (204, 10_000, 100_000)


@dataclass(frozen=True)
class Timing:
    """One line of the benchmark.

    Parameters
    ----------
    name : str
        What was timed.
    milliseconds : float
        Median.
    rounds : int
        Number of runs behind it.
    """

    name: str
    milliseconds: float
    rounds: int


def run_benchmark(bundle: Path, *, rounds: int = ROUNDS) -> list[Timing]:
    """Time prediction, its parts and the evaluation.

    Parameters
    ----------
    bundle : Path
        Folder of the bundle.
    rounds : int
        Runs of each part; all parts run once a round, so that a noisy machine disturbs them alike.

    Returns
    -------
    list of Timing
        Medians in milliseconds.
    """
    predictors = {name: Predictor.load(bundle, device="cpu", precision=name) for name in ("fp32", "bf16")}
    chosen = Predictor.load(bundle)
    png, box = _simulate_case()
    frame = read_frame(png)
    roi = frame.to_frame(box)
    parts: dict[str, Callable[[], Any]] = {"decode a PNG frame in the decoder process": lambda: read_frame(png)}
    for name, predictor in predictors.items():
        parts |= _time_prediction(name, predictor, frame, roi)
    reading = chosen.read_image(frame, roi)
    parts["change of a clinical value, no pass"] = lambda: chosen.predict(Case(frame, roi, {"age": 50.0}), reading)
    parts |= _time_evaluation(chosen.bundle)
    return _interleave(parts, rounds)


def _simulate_case() -> tuple[bytes, Roi]:
    cohort = simulate_cohort(24, SEED)
    simulated = render_patient(cohort, 0, SEED)
    buffer = io.BytesIO()
    Image.fromarray(simulated.pixels).save(buffer, format="PNG")
    return buffer.getvalue(), Roi(*map(float, simulated.box))


def _time_prediction(name: str, predictor: Predictor, frame: Frame, roi: Roi) -> dict[str, Callable[[], Any]]:
    size = predictor.engine.rule.size
    blank = np.zeros((1, size, size), dtype=np.uint8)
    return {
        f"bare forward, torch {name}": lambda: predictor.engine.extract_maps(blank),
        f"prediction and heat map, torch {name}": lambda: predictor.predict(Case(frame, roi, {})),
    }


def _time_evaluation(bundle: Bundle) -> dict[str, Callable[[], Any]]:
    rng = np.random.default_rng(SEED)
    parts: dict[str, Callable[[], Any]] = {}
    for n in SIZES:
        prob = rng.random(n)
        y = (rng.random(n) < prob).astype(int)
        parts[f"AUC with DeLong interval, n = {n:,}"] = lambda y=y, prob=prob: compute_roc(y, prob)  # type: ignore[misc]
    grid = np.linspace(0.01, 0.99, 99)
    parts[f"decision curve, 99 thresholds, n = {SIZES[-1]:,}"] = lambda: compute_decision_curve(
        y, {"model": prob}, grid
    )
    table = pd.read_csv(bundle.folder / "evidence" / "predictions.csv")
    parts[f"whole evaluation of the evidence, n = {len(table)}"] = lambda: evaluate_cohort(table)
    return parts


def _interleave(parts: dict[str, Callable[[], Any]], rounds: int) -> list[Timing]:
    seconds: dict[str, list[float]] = {name: [] for name in parts}
    for part in parts.values():
        part()
    for _ in range(rounds):
        for name, part in parts.items():
            started = time.perf_counter()
            part()
            seconds[name].append(time.perf_counter() - started)
    return [Timing(name, 1000 * statistics.median(values), rounds) for name, values in seconds.items()]

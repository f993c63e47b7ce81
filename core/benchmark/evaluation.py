"""The evaluation's parts, at several numbers of patients."""

from pathlib import Path

import numpy as np
import pandas as pd

from core.benchmark.timing import Part
from core.evaluation import compute_decision_curve, compute_roc, evaluate_cohort

SEED = 20260507
SIZES = (204, 10_000, 100_000)


def list_evaluation_parts(bundle: Path) -> dict[str, Part]:
    """List what the evaluation takes.

    Parameters
    ----------
    bundle : Path
        Folder of a bundle with evidence.

    Returns
    -------
    dict of str to callable
        Parts by name.
    """
    rng = np.random.default_rng(SEED)
    parts: dict[str, Part] = {}
    for n in SIZES:
        prob = rng.random(n)
        y = (rng.random(n) < prob).astype(int)
        parts[f"AUC with DeLong interval, n = {n:,}"] = lambda y=y, prob=prob: compute_roc(y, prob)  # type: ignore[misc]
    grid = np.linspace(0.01, 0.99, 99)
    parts[f"decision curve, 99 thresholds, n = {SIZES[-1]:,}"] = lambda: compute_decision_curve(
        y, {"model": prob}, grid
    )
    table = pd.read_csv(bundle / "evidence" / "predictions.csv")
    parts[f"whole evaluation of the evidence, n = {len(table)}"] = lambda: evaluate_cohort(table)
    return parts

"""Estimates made up for tests of monitoring."""

import numpy as np
import pandas as pd

from core.monitoring.reading import Estimates
from core.monitoring.reference import Reference
from core.register.witness import Anchor
from models.cutoff import Cutoff

OWN, OTHER = "b" * 64, "c" * 64
TODAY = pd.Timestamp("2026-12-31")


def make_patients(n: int, rng: np.random.Generator) -> pd.DataFrame:
    """Make patients with inputs, an estimate and a Ki-67 that follows it."""
    score = rng.normal(size=n)
    prob = 1 / (1 + np.exp(-1.5 * score))
    return pd.DataFrame(
        {
            "prob": prob,
            "image_score": score,
            "age": rng.integers(30, 80, n).astype(float),
            "menopausal": rng.choice(["pre", "post"], n),
            "palpable": rng.choice(["yes", "no"], n),
            "size_mm": rng.gamma(4.0, 5.0, n),
            "adler": rng.choice(["0", "1", "2", "3"], n),
            "birads": np.where(rng.random(n) < 0.1, None, rng.choice(["4B", "4C", "5"], n)),
            "aln_suspicious": rng.choice(["suspicious", "negative"], n),
            "ki67_pct": np.where(rng.random(n) < prob, 40.0, 10.0),
        }
    )


def make_estimates(patients: pd.DataFrame, *, bundle: str = OWN, per_day: int = 2) -> Estimates:
    """Make them into the register's estimates, in order, some each day."""
    n = len(patients)
    days = pd.Timestamp("2026-01-01") + pd.to_timedelta(np.arange(n) // per_day, unit="D")
    told = {
        "number": np.arange(1, n + 1),
        "patient": [f"P-{i:05d}" for i in range(n)],
        "centre": np.where(np.arange(n) % 2, "North", "South"),
        "day": days,
        "has_date": True,
        "bundle": "ours",
        "bundle_sha256": bundle,
        "threshold": 0.45,
        "gate": "ok",
        "is_simulated": False,
        "is_prospective": True,
    }
    return Estimates(patients.assign(**told), 0, Anchor(n, "0" * 64))


def make_reference(patients: pd.DataFrame) -> Reference:
    """Make patients the training patients of a bundle."""
    evidence = patients.assign(split="train", y=(patients["ki67_pct"] >= 20).astype(float))
    return Reference(OWN, Cutoff(20.0, ">="), (0.4, 0.5), evidence)

"""A cohort with every end point, made up."""

import numpy as np
import pandas as pd
from scipy.special import expit


def make_cohort() -> pd.DataFrame:
    """Patients of two splits with every end point."""
    generator = np.random.default_rng(11)
    n = 300
    signal = generator.normal(size=n)
    prob = expit(1.5 * signal)
    months = generator.exponential(60 / (1 + 2 * prob))
    limit = generator.uniform(3, 50, n)
    return pd.DataFrame(
        {
            "patient_id": [f"P{i}" for i in range(n)],
            "split": np.repeat(["train", "external"], [180, 120]),
            "centre": np.r_[np.tile(["A", "B"], 90), np.repeat("D", 120)],
            "y": (generator.uniform(size=n) < prob).astype(float),
            "prob": prob,
            "prob_clinical": expit(0.5 * signal + generator.normal(size=n)),
            "lnm": (generator.uniform(size=n) < 0.1 + 0.6 * prob).astype(float),
            "prob_lnm": 0.1 + 0.6 * prob,
            "aln_us": (generator.uniform(size=n) < 0.3).astype(float),
            "rfs_months": np.minimum(months, limit).round(1),
            "rfs_event": (months <= limit).astype(float),
            "age": generator.integers(30, 80, n).astype(float),
        }
    )

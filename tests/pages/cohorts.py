"""Prediction tables to upload, and what a page says."""

import numpy as np
import pandas as pd
from streamlit.testing.v1 import AppTest

COHORT = "pages/2_Cohort.py"
N = 120


def make_table(seed: int = 3) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    prob = 1 / (1 + np.exp(-rng.normal(0, 1.3, N)))
    return pd.DataFrame(
        {
            "patient_id": [f"U-{i}" for i in range(N)],
            "split": np.repeat(["train", "external"], N // 2),
            "centre": np.tile(["North", "South"], N // 2),
            "y": (rng.random(N) < prob).astype(int),
            "prob": prob.round(4),
            "prob_image": (prob * 0.9).round(4),
            "lnm": (rng.random(N) < prob / 2).astype(int),
            "rfs_months": rng.uniform(1, 60, N).round(1),
            "rfs_event": (rng.random(N) < 0.3).astype(int),
            "age": rng.integers(30, 80, N),
        }
    )


def encode(table: pd.DataFrame) -> bytes:
    return table.to_csv(index=False).encode()


def upload(at: AppTest, data: bytes, name: str = "cohort.csv") -> AppTest:
    at.file_uploader[0].set_value((name, data, "application/octet-stream"))
    return at.run()


def words(at: AppTest) -> str:
    return "\n".join(e.value for e in (*at.markdown, *at.caption, *at.info))

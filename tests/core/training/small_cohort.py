"""Simulated patients who share a few frames of half the size, mirrored or darker: drawn and read in little time."""

from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from core.simulation import render_patient, simulate_cohort
from core.spreadsheet import render_csv

SEED, VIEWS, GAIN = 11, 4, 0.8


def write_small_cohort(folder: Path, n: int) -> Path:
    """Write a manifest as `simulate` does; centre D is external, of the others three in four are training patients."""
    cohort = simulate_cohort(n, SEED)
    table = cohort.table.copy()
    table["split"] = [("test", "validation", *["train"] * 6)[i % 8] for i in range(n)]
    table.loc[table["centre"] == "D", "split"] = "external"
    (folder / "frames").mkdir(parents=True)
    boxes = []
    for i in range(n):
        if i % VIEWS == 0:
            frame = render_patient(cohort, i, SEED)
        height, width = frame.pixels.shape
        pixels = frame.pixels.reshape(height // 2, 2, width // 2, 2).mean(axis=(1, 3))
        x0, y0, x1, y1 = (edge // 2 for edge in frame.box)
        if i % VIEWS > 1:
            pixels *= GAIN
        if i % VIEWS in {1, 3}:
            pixels, x0, x1 = pixels[:, ::-1], pixels.shape[1] - x1, pixels.shape[1] - x0
        Image.fromarray(pixels.astype(np.uint8)).save(folder / "frames" / f"{i}.png", compress_level=1)
        boxes.append(f"{x0},{y0},{x1},{y1}")
    table = table.assign(image=[f"frames/{i}.png" for i in range(n)], box=boxes)
    path = folder / "cohort.csv"
    path.write_bytes(render_csv(table))
    return path


def read_small_cohort(path: Path) -> pd.DataFrame:
    """Read it as text, with the whole paths of its images."""
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    return table.assign(image=[str(path.parent / name) for name in table["image"]])

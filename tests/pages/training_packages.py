"""Packages to train on: a table of simulated patients with their frames, in a ZIP archive."""

import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import pandas as pd

from tests.core.training.small_cohort import write_small_cohort

Change = Callable[[pd.DataFrame], pd.DataFrame]


def write_table(folder: Path, n: int) -> pd.DataFrame:
    """Simulate patients, nine tenths of them training patients."""
    table = pd.read_csv(write_small_cohort(folder, n), dtype=str, keep_default_na=False)
    table["split"] = ["test" if i % 10 == 0 else "train" for i in range(n)]
    return table


def pack(table: pd.DataFrame, folder: Path) -> bytes:
    """Pack a table with the frames that it names."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as package:
        package.writestr("cohort.csv", table.to_csv(index=False))
        for name in table["image"].unique():
            if (folder / name).is_file():
                package.write(folder / name, name)
    return buffer.getvalue()

"""Patients in windows, by calendar month or by 50: who came, and what was missing."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.clinical import M1_PREDICTORS

By = Literal["patients", "month"]
SIZE = 50
GATES = {"ok": "passed", "caution": "cautioned"}


@dataclass(frozen=True, eq=False)
class Windows:
    """Patients parted by time."""

    codes: NDArray[np.int64]  # (n,), window of each patient, from 0
    # a row a window: ``window`` (its name), ``first``, ``last`` (YYYY-MM-DD), ``n``, ``is_full`` (nobody is to come)
    table: pd.DataFrame


def choose_patients(estimates: pd.DataFrame) -> pd.DataFrame:
    """Choose of each patient the last estimate before the outcome, else the first after it; in order of examination.

    ``estimates`` in the result counts all estimates of the patient.
    """
    counts = estimates.groupby("patient", sort=False).size()
    before = estimates[estimates["is_prospective"]].drop_duplicates("patient", keep="last")
    after = estimates[~estimates["is_prospective"]].drop_duplicates("patient", keep="first")
    chosen = pd.concat([before, after]).drop_duplicates("patient", keep="first")
    chosen = chosen.sort_values(["day", "number"], kind="stable", ignore_index=True)
    return chosen.assign(estimates=counts.reindex(chosen["patient"]).to_numpy())


def cut_windows(days: pd.Series, by: By, *, today: pd.Timestamp) -> Windows:
    """Part patients, who come in order of examination, into 50 patients each or calendar months; oldest first.

    A month in which nobody came has no window, and the month of today is not full.
    """
    if by == "patients":
        codes = np.arange(len(days), dtype=np.int64) // SIZE
        names = [f"{SIZE * code + 1:,} to {SIZE * (code + 1):,}" for code in range(-(-len(days) // SIZE))]
    else:
        months = days.dt.to_period("M")
        found, unique = pd.factorize(months)
        codes, names = found.astype(np.int64), [str(month) for month in unique]
    grouped = days.groupby(codes)
    table = pd.DataFrame({"window": names, "first": grouped.min(), "last": grouped.max(), "n": grouped.size()})
    is_full = table["n"] == SIZE if by == "patients" else table["last"].dt.to_period("M") < today.to_period("M")
    ends = {name: table[name].dt.strftime("%Y-%m-%d") for name in ("first", "last")}
    return Windows(codes, table.assign(is_full=is_full, **ends).reset_index(drop=True))


def count_windows(
    patients: pd.DataFrame, windows: Windows, indeterminate: tuple[float, float] | None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Count what came in each window.

    First the windows with ``estimates, passed, cautioned, gate_unknown, indeterminate, with_outcome``; then by window
    the number of patients of whom each predictor, and ``any`` of them, was not known. The indeterminate range includes
    its ends; None where it is not known.
    """
    gates = patients["gate"].astype(str)
    counted: dict[str, object] = {"estimates": patients["estimates"]}
    counted |= {name: gates == verdict for verdict, name in GATES.items()}
    counted["gate_unknown"] = ~gates.isin(GATES)
    if indeterminate is not None:
        counted["indeterminate"] = patients["prob"].between(*indeterminate)
    counted["with_outcome"] = patients["ki67_pct"].notna()
    missing = {name: patients[name].isna() for name in M1_PREDICTORS}
    missing["any"] = patients[list(M1_PREDICTORS)].isna().any(axis=1)
    volumes = windows.table.join(_sum(counted, windows.codes))
    if indeterminate is None:
        volumes.insert(volumes.columns.get_loc("with_outcome"), "indeterminate", np.nan)  # type: ignore[arg-type]
    return volumes, windows.table[["window", "n"]].join(_sum(missing, windows.codes))


def _sum(columns: Mapping[str, object], codes: NDArray[np.int64]) -> pd.DataFrame:
    return pd.DataFrame(columns).astype("int64").groupby(codes).sum()

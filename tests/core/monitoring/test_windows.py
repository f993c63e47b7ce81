"""Windows of patients and what is counted in them."""

import numpy as np
import pandas as pd

from core.monitoring.windows import choose_patients, count_windows, cut_windows
from tests.core.monitoring.made import TODAY, make_estimates, make_patients


def test_fifty_patients_each_and_the_last_window_is_still_filling():
    days = pd.Series(pd.date_range("2026-01-01", periods=120))
    windows = cut_windows(days, "patients", today=TODAY)
    assert windows.table["n"].tolist() == [50, 50, 20]
    assert windows.table["is_full"].tolist() == [True, True, False]
    assert windows.table["window"].tolist() == ["1 to 50", "51 to 100", "101 to 150"]
    assert np.bincount(windows.codes).tolist() == [50, 50, 20]


def test_months_are_calendar_months_and_that_of_today_is_still_filling():
    days = pd.Series(pd.to_datetime(["2026-01-31", "2026-02-01", "2026-02-28", "2026-04-02"]))
    windows = cut_windows(days, "month", today=pd.Timestamp("2026-04-20"))
    assert windows.table["window"].tolist() == ["2026-01", "2026-02", "2026-04"]
    assert windows.table["n"].tolist() == [1, 2, 1]
    assert windows.table["is_full"].tolist() == [True, True, False]
    assert windows.table["last"].tolist() == ["2026-01-31", "2026-02-28", "2026-04-02"]


def test_nobody_makes_no_window():
    for by in ("patients", "month"):
        assert cut_windows(pd.Series([], dtype="datetime64[s]"), by, today=TODAY).table.empty


def test_a_patient_counts_once_by_the_last_estimate_before_the_outcome():
    table = make_estimates(make_patients(4, np.random.default_rng(1))).table
    table = table.assign(patient=["A", "A", "A", "B"], is_prospective=[True, True, False, False])
    chosen = choose_patients(table)
    assert chosen["number"].tolist() == [2, 4]
    assert chosen["estimates"].tolist() == [3, 1]


def test_counts_add_up():
    table = make_estimates(make_patients(130, np.random.default_rng(2))).table
    table["gate"] = np.where(np.arange(130) % 10, "ok", "caution")
    table.loc[5, "gate"] = ""
    patients = choose_patients(table)
    volumes, missing = count_windows(patients, cut_windows(patients["day"], "patients", today=TODAY), (0.4, 0.5))
    assert (volumes["passed"] + volumes["cautioned"] + volumes["gate_unknown"] == volumes["n"]).all()
    assert volumes["gate_unknown"].sum() == 1
    assert volumes["indeterminate"].sum() == patients["prob"].between(0.4, 0.5).sum()
    assert missing["birads"].sum() == patients["birads"].isna().sum()
    assert (missing["any"] == missing["birads"]).all()

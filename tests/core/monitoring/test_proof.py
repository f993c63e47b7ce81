"""The simulation that proves the alarms: what it draws, and what it counts."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from core.monitoring.drift import SCORE
from core.monitoring.proof import (
    CHANGES,
    IN_CONTROL,
    Change,
    Population,
    draw_patients,
    measure_delays,
    prove,
    read_population,
)
from models.cutoff import Cutoff
from tests.core.monitoring.made import make_patients

N = 40_000


@pytest.fixture(scope="module")
def population() -> Population:
    patients = make_patients(600, np.random.default_rng(1))
    patients = patients.assign(split=np.repeat(["train", "test"], 300))
    patients["y"] = (patients["ki67_pct"] >= 20).astype(float)
    return read_population(patients, Cutoff(38, ">=").is_high, 1.5)


def test_in_control_outcomes_follow_the_estimates(population):
    _, p, y = draw_patients(population, IN_CONTROL, N, np.random.default_rng(2))
    assert y.mean() == pytest.approx(p.mean(), abs=0.01)
    high = p > 0.7
    assert y[high].mean() == pytest.approx(p[high].mean(), abs=0.01)


def test_a_device_shifts_score_and_estimate_but_no_outcome(population):
    rng = np.random.default_rng(3)
    before, p, y = draw_patients(population, IN_CONTROL, N, rng)
    after, shifted, same = draw_patients(population, Change("", score=1.0), N, rng)
    assert after[SCORE].mean() - before[SCORE].mean() == pytest.approx(population.spread, abs=0.03)
    assert shifted.mean() > p.mean() + 0.1
    assert same.mean() == pytest.approx(y.mean(), abs=0.01)


def test_another_prevalence_keeps_patients_within_each_class_as_they_were(population):
    rng = np.random.default_rng(4)
    _, p, y = draw_patients(population, IN_CONTROL, N, rng)
    _, moved, known = draw_patients(population, Change("", prevalence=0.65), N, rng)
    assert known.mean() == pytest.approx(0.65, abs=0.01)
    for value in (0.0, 1.0):
        assert moved[known == value].mean() == pytest.approx(p[y == value].mean(), abs=0.01)


def test_a_laboratory_that_reads_higher_raises_the_odds_by_what_the_evidence_says(population):
    assert population.laboratory == 0.0 or population.laboratory > 0
    patients = make_patients(2_000, np.random.default_rng(5)).assign(split="train")
    patients["ki67_pct"] = np.where(patients["ki67_pct"] > 20, 40.0, np.where(patients.index % 2, 16.0, 10.0))
    found = read_population(patients, Cutoff(20, ">=").is_high, 1.5)
    _, _, y = draw_patients(found, Change("", laboratory=True), N, np.random.default_rng(6))
    assert y.mean() == pytest.approx((patients["ki67_pct"] + 5 >= 20).mean(), abs=0.02)
    assert expit(found.laboratory) > 0.5


def test_delays_are_counted_over_all_runs():
    found = {"a": pd.DataFrame({"CUSUM chart": [100.0, 40.0, 60.0, np.inf]})}
    row = measure_delays(found).iloc[0]
    assert (row["runs"], row["found"], row["median"], row["p90"]) == (4, 3, 100.0, np.inf)


def test_runs_are_counted_by_method_and_together(population):
    seen = []
    false, delays = prove(population, runs=1, watch=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (1 + len(CHANGES), 1 + len(CHANGES))
    assert false["by"].tolist() == ["CUSUM chart", "drift", "either"]
    assert len(delays) == 3 * len(CHANGES)
    by = delays.pivot_table(index="change", columns="by", values="median", aggfunc="first")
    assert (by["either"] == by[["CUSUM chart", "drift"]].min(axis=1)).all()

"""The study over simulated cohorts: what it computes, keeps and takes up again."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.training.study import cohorts
from core.training.study.figures import GOALS, compute_figures, summarise_figures


def make_predictions(n: int = 400) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    logit, noise = rng.normal(size=n), rng.normal(size=n)
    y = (rng.random(n) < 1 / (1 + np.exp(-2 * logit))).astype(int)
    months = rng.exponential(60, n) / np.exp(logit)
    return pd.DataFrame(
        {
            "split": np.repeat(["train", "external"], n // 2),
            "y": y,
            "prob": 1 / (1 + np.exp(-2 * logit)),
            "prob_image": 1 / (1 + np.exp(-logit - noise)),
            "prob_clinical": 1 / (1 + np.exp(-3 * noise)),
            "lnm": (rng.random(n) < 0.2 + 0.5 * y).astype(int),
            "rfs_months": np.minimum(months, 40).round(1).clip(0.1),
            "rfs_event": (months < 40).astype(int),
        }
    )


def test_figures_are_those_of_the_external_centre() -> None:
    table = make_predictions()
    figures = compute_figures(table, 0.5)
    outside = table[table["split"] == "external"]
    high = outside["prob"] >= 0.5
    assert figures["node rate, called high"] == pytest.approx(outside["lnm"][high].mean())
    assert figures["node rate, called low"] == pytest.approx(outside["lnm"][~high].mean())
    assert figures["accuracy"] == pytest.approx((high == outside["y"]).mean())
    assert figures["recurrences of all patients"] == table["rfs_event"].sum()
    assert figures["combined above clinical, p < .05"] == 1.0
    assert figures["external calibration slope"] == pytest.approx(1, abs=0.4)


def test_every_goal_names_a_figure_and_a_mean_within_it_reaches_it() -> None:
    rows = [compute_figures(make_predictions(), 0.5)] * 2
    assert {goal.figure for goal in GOALS} <= set(rows[0])
    summary = summarise_figures([{"external ICI": 0.05}, {"external ICI": 0.09}, {"external ICI": None}])
    row = summary.iloc[0]
    assert (row["cohorts"], row["mean"], row["reached"]) == (2, pytest.approx(0.07), "no")


def test_a_stopped_study_goes_on_and_another_program_starts_anew(
    tmp_path: Path, bundle_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []

    def simulate(folder: Path, _n: int, seed: int, processes: int) -> Path:
        seen.append(seed)
        folder.mkdir(parents=True)
        (folder / "cohort.csv").touch()
        return folder / "cohort.csv"

    def train(table: Path, _backbone: Path, out: Path, _plan: object, **_: object) -> None:
        (out / "evidence").mkdir(parents=True)
        make_predictions().to_csv(out / "evidence" / "predictions.csv", index=False)
        (out / "manifest.json").write_text(json.dumps({"threshold": {"value": 0.5}}))

    monkeypatch.setattr(cohorts, "write_cohort", simulate)
    monkeypatch.setattr(cohorts, "train_bundle", train)
    backbone = (bundle_dir / "../backbone").resolve()
    first = cohorts.run_study(tmp_path, backbone, n_cohorts=2, seed=5)
    assert cohorts.run_study(tmp_path, backbone, n_cohorts=3, seed=5)[:2] == first
    assert seen == [5, 6, 7]
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"{s}.{e}" for s in (5, 6, 7) for e in ("csv", "json")]
    record = json.loads((tmp_path / "6.json").read_text())
    (tmp_path / "6.json").write_text(json.dumps(record | {"key": "another program"}))
    cohorts.run_study(tmp_path, backbone, n_cohorts=3, seed=5)
    assert seen == [5, 6, 7, 6]

"""Survival by groups of the probability: curves once, restricted means, hazards that change, units."""

import numpy as np
import pandas as pd
import pytest

from core.evaluation import (
    compute_cox,
    compute_kaplan_meier,
    compute_rmst,
    compute_survival_curves,
    compute_survival_models,
    compute_time_auc,
)
from core.evaluation.cohort.survival import describe_hazards, find_changing_terms
from core.evaluation.estimate import write_p

N = 400


def draw(shape_high: float, seed: int = 4) -> pd.DataFrame:
    """Weibull times of equal scale: with equal shapes hazards are proportional, else they cross."""
    rng = np.random.default_rng(seed)
    prob = np.repeat([0.2, 0.8], N // 2)
    months = 30 * rng.weibull(np.where(prob > 0.5, shape_high, 1.5)) * np.where(prob > 0.5, 0.8, 1.0)
    limit = rng.uniform(20, 60, N)
    return pd.DataFrame(
        {
            "prob": prob + rng.uniform(-0.1, 0.1, N),
            "rfs_months": np.minimum(months, limit),
            "rfs_event": (months <= limit).astype(float),
            "age": rng.integers(30, 80, N).astype(float),
            "centre": np.tile(["A", "B"], N // 2),
        }
    )


def test_crossing_hazards_are_said_with_the_restricted_means_beside():
    models = compute_survival_models(draw(shape_high=0.5), 0.5)
    text = describe_hazards(models)
    p = models.cox.proportional_hazards.loc["high", "p"]
    assert p < 0.05
    assert f"Univariable Cox model: hazards are not proportional for predicted high against low ({write_p(p)})" in text
    assert "Multivariable Cox model: hazards are not proportional" in text
    rmst = models.rmst
    tau, difference = rmst.table["tau"].iloc[0], rmst.difference
    assert f"Mean recurrence-free time up to {tau:g} months: low {rmst.table['rmst'].iloc[0]:.1f} (95 % CI" in text
    assert f"Low minus high: {difference:.1f} (95 % CI {rmst.ci[0]:.1f} to {rmst.ci[1]:.1f}) months" in text


def test_proportional_hazards_need_no_sentence():
    models = compute_survival_models(draw(shape_high=1.5), 0.5)
    assert models.cox.proportional_hazards.loc["high", "p"] > 0.05
    assert describe_hazards(models) == ""


def test_a_term_or_only_the_whole_model_is_named():
    result = compute_cox([1, 2, 3, 4, 5, 6], [1, 1, 0, 1, 1, 0], {"x": [1, 0, 1, 0, 1, 0], "z": [3, 1, 2, 2, 1, 3]})
    result.proportional_hazards["p"] = [0.2, 0.3, 0.01]
    assert find_changing_terms(result) == {"GLOBAL": 0.01}
    result.proportional_hazards["p"] = [0.02, 0.3, 0.01]
    assert find_changing_terms(result) == {"x": 0.02}
    assert find_changing_terms(compute_cox([1, 2], [0, 0], {"x": [0, 1]})) == {}


def test_groups_are_those_of_the_figures_alone():
    table = draw(shape_high=1.5)
    one = compute_survival_curves(table, (0.5,))
    group = np.where(table["prob"] >= 0.5, "high", "low")
    again = compute_kaplan_meier(table["rfs_months"], table["rfs_event"], pd.Categorical(group, ["low", "high"]))
    pd.testing.assert_frame_equal(one.kaplan_meier.curve, again.curve)
    assert one.kaplan_meier.medians["group"].tolist() == ["low", "high"]
    three = compute_survival_curves(table, (0.2, 0.7))
    assert three.kaplan_meier.medians["group"].tolist() == ["lowest tertile", "middle tertile", "highest tertile"]
    assert three.rmst.difference is None


@pytest.mark.parametrize(("last", "times"), [(4.5, 5), (10.0, 4), (30.0, 6), (70.0, 6)])
def test_short_follow_up_is_read_at_finer_times(last, times):
    table = draw(shape_high=1.5)
    table["rfs_months"] *= last / table["rfs_months"].max()
    at_times = compute_survival_curves(table, (0.5,)).kaplan_meier.at_times
    assert at_times["time"].nunique() == times


def test_reasons_bear_the_unit_of_time():
    assert compute_rmst([1, 2], [1, 0], tau=9).reason == "Not every group is followed to 9 months."
    assert compute_rmst([1, 2], [1, 0], tau=9, unit="days").reason == "Not every group is followed to 9 days."
    assert compute_time_auc([1, 2, 3], [0, 0, 0], [1, 2, 3], 2, unit="years").reason == "No event by 2 years."
    alone = compute_time_auc([1, 8, 9], [1, 0, 0], [3, 2, 1]).reason
    assert "from 1 event by 6 months and 2 patients followed beyond it" in alone

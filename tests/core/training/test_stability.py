"""How a fit would have differed with other patients or at another centre, and what the card says of it."""

import numpy as np
import pytest

from core.training.bundle.card_parts import describe_stability
from core.training.bundle.image_score import map_features
from core.training.bundle.reporting import ITEMS, describe_reporting
from core.training.bundle.stability import measure_instability, measure_left_out_centres
from core.training.bundle.whole_fit import Model, Study, fit_whole, refit_whole

MODEL = Model(True, (0,))
NAMES = ("A", "B", "C")
FLOW = {"rows": 9, "rows_refused": 1, "patients": 8, "splits": {"train": {"n": 8, "events": 3}}}


@pytest.fixture(scope="module")
def study() -> Study:
    rng = np.random.default_rng(0)
    pooled, z, centre = rng.normal(size=(240, 12)), rng.normal(size=(240, 1)), np.arange(240) % 3
    target = 1.5 * pooled[:, 0] + z[:, 0] + rng.logistic(size=240)
    space = map_features(pooled, np.empty((240, 0, 12)))
    return Study(space, target, (target > 0).astype(float), z, centre)


def test_each_left_out_centre_is_tested_on_its_own_patients(study: Study) -> None:
    left = measure_left_out_centres(study, MODEL, NAMES, seed=0)
    assert [row["centre"] for row in left["centres"]] == list(NAMES)
    assert sum(row["n"] for row in left["centres"]) == 240
    aucs = [row["auc"] for row in left["centres"]]
    assert min(aucs) <= left["pooled"]["auc"]["estimate"] <= max(aucs)
    assert 0.7 < left["pooled"]["auc"]["estimate"] < 0.95
    low, high = left["pooled"]["slope"]["prediction"]
    assert low < left["pooled"]["slope"]["estimate"] < high


def test_one_centre_can_not_be_left_out(study: Study) -> None:
    assert measure_left_out_centres(study, MODEL, ("A",), seed=0)["centres"] == []


def test_refits_on_the_same_patients_differ_by_nothing_and_draws_by_something(study: Study) -> None:
    whole = fit_whole(study, {"m": MODEL}, np.ones(240), np.random.default_rng(0))
    assert measure_instability(study, "m", whole, [whole, whole])["error"] == 0
    unstable = measure_instability(study, "m", whole, refit_whole(study, {"m": MODEL}, seed=0, n_refits=10))
    assert 0.005 < unstable["error"] < 0.15
    prob, low, high = np.array(unstable["points"]).T
    assert (np.diff(prob) >= 0).all()
    assert (low <= high).all()


def test_the_card_names_each_centre_and_each_item_that_nobody_answered(study: Study) -> None:
    internal = {
        "left_out_centres": measure_left_out_centres(study, MODEL, NAMES, seed=0),
        "instability": {"n_refits": 10, "error": 0.05},
        "validation_size": {"needed": 9, "ratio": 7, "slope": 9, "auc": 8},
    }
    text = "\n".join(describe_stability(internal))
    assert all(f"| {name} | 80 |" in text for name in NAMES)
    lines = list(describe_reporting({"reporting": {"STARD-AI 10": "a Voluson E10"}}, FLOW, internal))
    assert sum(line.startswith(tuple(f"| {item} |" for item in ITEMS)) for line in lines) == len(ITEMS)
    assert (
        "| STARD-AI 10 | index test and reference standard in enough detail to repeat them | a Voluson E10 |" in lines
    )
    assert any(line.startswith("| STARD-AI 17") and line.endswith("| missing |") for line in lines)

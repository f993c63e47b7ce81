"""The indeterminate range and the figures by centre, as page, report and command line show them."""

import numpy as np
import pandas as pd
import pytest

from core.evaluation import compare_roc
from core.evaluation.cohort.split import choose_cohort_threshold, choose_indeterminate, compare_models
from core.figures.cohort.centres import CentresExhibit
from core.figures.cohort.exhibit import Patients
from core.figures.cohort.indeterminate import IndeterminateExhibit
from core.figures.cohort.roc import ModelsExhibit


@pytest.fixture(scope="module")
def whole() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    logit = rng.normal(size=600)
    return pd.DataFrame(
        {
            "split": np.repeat(["train", "external"], 300),
            "centre": np.tile(["A", "B", "C"], 200),
            "y": (rng.random(600) < 1 / (1 + np.exp(-2 * logit))).astype(float),
            "prob": 1 / (1 + np.exp(-2 * logit)),
            "prob_image": 1 / (1 + np.exp(-logit - 1.2 - rng.normal(size=600))),
        }
    )


def make(whole: pd.DataFrame, split: str = "external") -> Patients:
    part = whole[whole["split"] == split]
    threshold = choose_cohort_threshold(whole)
    return Patients(part, whole, f"the {split} test", threshold, is_development=split == "train")


def test_the_range_holds_a_fifth_of_the_development_patients(whole: pd.DataFrame) -> None:
    patients = make(whole)
    low, high = choose_indeterminate(whole, float(patients.threshold.threshold))
    own = whole.loc[whole["split"] == "train", "prob"]
    assert own.between(low, high).mean() == pytest.approx(0.2, abs=0.005)
    assert low < patients.threshold.threshold < high


def test_inside_the_range_the_group_is_less_often_right(whole: pd.DataFrame) -> None:
    patients = make(whole)
    shown = IndeterminateExhibit.of(patients)
    record = shown.record()["indeterminate"]
    assert record["inside"]["n"] + record["outside"]["n"] == record["all"]["n"] == 300
    assert record["inside"]["accuracy"] < record["outside"]["accuracy"]
    assert f"{record['inside']['n']:.0f} of 300 patients" in shown.sentence()
    right = (patients.table["prob"] >= patients.threshold.threshold) == (patients.table["y"] == 1)
    assert record["all"]["accuracy"] == pytest.approx(right.mean())


def test_centres_are_pooled_with_what_a_new_one_may_expect(whole: pd.DataFrame) -> None:
    patients = make(whole)
    shown = CentresExhibit.of(patients)
    pooled = shown.record()["centres"]
    aucs = [roc.auc for roc, _ in shown.centres.values()]
    assert min(aucs) <= pooled["auc"]["estimate"] <= max(aucs)
    assert pooled["auc"]["prediction"][0] < pooled["auc"]["ci"][0]
    assert pooled["slope"]["estimate"] == pytest.approx(1, abs=0.4)
    assert "expected at a new centre" in shown.sentence()
    assert list(next(iter(shown.tables().values()))["Centre"])[:3] == ["A", "B", "C"]
    assert not CentresExhibit.applies(Patients(whole.assign(centre="A"), whole, "x", patients.threshold))


def test_each_model_is_called_at_its_own_threshold(whole: pd.DataFrame) -> None:
    """The image's probabilities lie too high: at the model's threshold nearly all would be called high."""
    patients = make(whole)
    cut = patients.threshold.threshold
    (own,) = ModelsExhibit.of(patients).comparisons
    (shared,) = compare_models(patients.table, cut, {"image": cut})
    assert own.mcnemar.p > 100 * shared.mcnemar.p
    assert compare_models(patients.table, cut)[0].mcnemar is None


def test_a_model_is_not_tested_against_a_part_of_it_where_both_were_fitted(whole: pd.DataFrame) -> None:
    (compared,) = ModelsExhibit.of(make(whole, "train")).comparisons
    part = whole[whole["split"] == "train"]
    assert (compared.roc.p, compared.mcnemar, compared.p_holm) == (None, None, None)
    assert compared.roc.difference == pytest.approx(compare_roc(part["y"], part["prob"], part["prob_image"]).difference)
    assert compared.roc.reason == "No test: both were fitted on these patients."

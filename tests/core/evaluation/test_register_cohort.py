"""The register's patients as a cohort: prospective alone, bundles beside each other, selection."""

import numpy as np
import pandas as pd
import pytest

from core.evaluation import ThresholdResult
from core.evaluation.cohort.register import AFTER, BEFORE, make_cohort
from core.figures.cohort.exhibit import Patients
from core.figures.cohort.subjects import DECISION_CURVE, DISCRIMINATION, TABLE_ONE
from core.figures.cohort.table_one import VERIFICATION, SelectionExhibit
from core.register.patients import tabulate_register
from core.register.store import Store
from models.cutoff import Cutoff
from tests.core.register.register_entries import add_estimates, enter

OLD, NEW = "b" * 64, "c" * 64


@pytest.fixture
def register(tmp_path, monkeypatch) -> pd.DataFrame:
    """Sixty patients of two bundles; pathology found 48 of them, 4 of these before the estimate."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    store, rng = Store(f"sqlite:///{tmp_path / 'board.db'}"), np.random.default_rng(1)
    prob = rng.random(60)
    for i in range(4):
        enter(store, f"P-{i}", ki67_pct=50)
    for i, p in enumerate(prob):
        add_estimates(store, [f"P-{i}"], probability=float(p), bundle="old")
        add_estimates(store, [f"P-{i}"], probability=float(p / 2), bundle="new", bundle_sha256=NEW)
    for i in range(4, 48):
        enter(store, f"P-{i}", ki67_pct=round(60 * rng.random() * prob[i] + 5), pn="N1" if i % 3 else "N0")
    table = tabulate_register(store)
    store.close()
    return table


def make(register: pd.DataFrame, **changes):
    options = {"bundle_sha256": OLD, "cutoff": Cutoff(), "prospective": True, "identity": "x"}
    return make_cohort(register, **(options | changes))


def test_only_what_was_estimated_before_counts_and_the_rest_is_said(register):
    cohort = make(register)
    table = cohort.read.table
    assert len(table) == 56
    assert set(table["timing"]) == {BEFORE}
    assert table["y"].notna().sum() == 44
    assert any("left out: 4 patients" in note for note in cohort.read.notes)
    whole = make(register, prospective=False).read
    assert whole.table["timing"].value_counts().to_dict() == {BEFORE: 56, AFTER: 4}
    assert any("not a prospective study" in note for note in whole.notes)
    assert (cohort.bundle, cohort.threshold, cohort.is_simulated) == ("old", 0.45, False)


def test_bundles_stand_beside_each_other_on_the_same_patients(register):
    table = make(register, bundle_sha256=NEW).read.table
    assert np.allclose(table["prob"] * 2, table["prob_old_bbbbbb"])
    assert table["lnm"].value_counts().to_dict() == {1.0: 30, 0.0: 14}
    patients = Patients(table, table, "the register", ThresholdResult(0.45, "given", chosen_on="x"))
    kinds = [kind.__name__ for kind, made in [*DISCRIMINATION.make(patients), *DECISION_CURVE.make(patients)] if made]
    assert {"ModelsExhibit", "GainExhibit"} <= set(kinds)


def test_simulated_patients_are_left_out_beside_real_ones_and_said(register):
    found = make(register.assign(is_simulated=register["patient_id"] == "P-10"))
    assert set(make(register).read.table["patient_id"]) - set(found.read.table["patient_id"]) == {"P-10"}
    assert not found.is_simulated
    assert "Simulated, and left out beside real ones: 1 patients." in " ".join(found.read.notes)
    assert make(register.assign(is_simulated=True)).is_simulated


def test_a_bundle_that_is_not_there_gives_way_to_the_most_used(register):
    assert make(register[register["bundle_sha256"] == OLD], bundle_sha256="f" * 64).bundle == "old"
    assert make(register.head(0)) is None


def test_those_without_an_outcome_are_compared_in_words(register):
    table = make(register).read.table
    patients = Patients(table, table, "the register", ThresholdResult(0.45, "given", chosen_on="x"))
    made = [one for kind, one in TABLE_ONE.make(patients) if kind is SelectionExhibit]
    (exhibit,) = made
    assert exhibit.sentence().startswith(
        "Of 56 patients of the register the outcome is known of 44 (79 %). They differ"
    )
    assert exhibit.cautions() == [VERIFICATION]
    (shown,) = exhibit.tables().values()
    assert "Estimated probability, mean (SD)" in shown["Characteristic"].tolist()
    assert not SelectionExhibit.applies(Patients(table.dropna(subset=["y"]), table, "", patients.threshold))

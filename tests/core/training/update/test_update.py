"""A bundle updated on the register's patients: who counts, how far, what holds of the new bundle, what is refused."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, logit
from typer.testing import CliRunner

from core.cli import app
from core.errors import InputError, ModelError, UsageError
from core.inference import Case, Predictor
from core.inference.points import score_points
from core.inference.trust import load_bundle
from core.monitoring.reference import read_reference
from core.register.outcome_entry import NOTHING, check_outcome, make_entry
from core.register.store import Store
from core.training.update.comparison import compare_bundles
from core.training.update.heads import list_coefs
from core.training.update.patients import estimate, read_patients
from core.training.update.update import UpdatePlan, judge_bundle, update_bundle
from models.bundle import Bundle
from tests.core.inference.test_predictor import CLINICAL, ROI, make_frame
from tests.core.register.register_entries import AB, ESTIMATE, add_estimates, enter

PLAN = UpdatePlan("AB", "Our patients have a higher share.", "ours-2026")
N = 300
LEVELS = {"menopausal": ("pre", "peri", "post"), "birads": ("4A", "4B", "4C", "5"), "palpable": ("no", "yes")}
LEVELS |= {"adler": ("0", "1", "2", "3"), "aln_suspicious": ("negative", "suspicious")}


def draw_clinical(rng: np.random.Generator) -> dict[str, str | float]:
    values: dict[str, str | float] = {name: str(rng.choice(levels)) for name, levels in LEVELS.items()}
    values |= {"age": float(rng.integers(30, 80)), "size_mm": float(rng.integers(8, 60))}
    return {name: value for name, value in values.items() if rng.random() > 0.05}


def fill_register(
    store: Store, bundle: Bundle, *, shift: float = 0.0, slope: float = 1.0, n: int = N, turned: bool = False
) -> None:
    """Keep estimates of made-up patients whose outcome follows a recalibrated model, or turned clinical terms."""
    rng, head = np.random.default_rng(4), bundle.fusion_heads["m1"]
    estimates, outcomes = [], []
    for i in range(n):
        clinical, score = draw_clinical(rng), float(rng.normal(0, 1.4))
        given = head.given(clinical)
        linear = given.intercept + sum(given.contribute(score, clinical).values())
        about = {"clinical": clinical, "image_score": score, "probability": float(expit(linear)), "threshold": 0.5}
        about |= {"bundle": bundle.name, "bundle_sha256": bundle.sha256, "patient": f"PSEUDONYM-{i}"}
        estimates.append(replace(ESTIMATE, **about).to_entry("AB"))
        truth = linear - 2 * float(given.code(clinical) @ given.coefs) if turned else linear
        high = rng.random() < expit(shift + slope * truth)
        values = check_outcome({"ki67_pct": 40 if high else 10})["outcome"]
        outcomes.append(make_entry(about["patient"], "outcome", values, NOTHING, AB))
    store.append_all(estimates)
    store.append_all(outcomes)


@pytest.fixture
def store(tmp_path) -> Iterator[Store]:
    opened = Store(f"sqlite:///{tmp_path / 'board.db'}")
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def bundle(bundle_dir: Path) -> Bundle:
    return load_bundle(bundle_dir)


@dataclass(frozen=True)
class Updated:
    """A register, its last entry at the update, the new bundle, and what was told."""

    store: Store
    anchor: str
    new: Bundle
    told: dict[str, Any]


CHANGES = {"in the large": {"shift": 0.9}, "recalibration": {"shift": 0.5, "slope": 0.35}}


@pytest.fixture(scope="module")
def updates(bundle: Bundle, tmp_path_factory) -> Iterator[dict[str, Updated]]:
    """The bundle updated on two registers."""
    made = {}
    for method, changes in CHANGES.items():
        folder = tmp_path_factory.mktemp("update")
        opened = Store(f"sqlite:///{folder / 'board.db'}")
        fill_register(opened, bundle, **changes)
        anchor = opened.read_anchor().hash
        told = update_bundle(opened, bundle.folder, folder / "new", PLAN)
        made[method] = Updated(opened, anchor, load_bundle(folder / "new"), told)
    yield made
    for one in made.values():
        one.store.close()


@pytest.mark.parametrize("method", CHANGES)
def test_the_new_bundle_is_the_old_one_recalibrated(updates, bundle, method):
    new, told = updates[method].new, updates[method].told
    assert told["method"] == method
    assert load_bundle(bundle.folder).sha256 == bundle.sha256
    assert new.manifest.parents == ((bundle.name, bundle.sha256),)
    assert told["register"]["hash"] == updates[method].anchor
    old, now = (list_coefs(one.fusion_heads["m1"]) for one in (bundle, new))
    slope = now[1] / old[1]
    assert now[1:] == pytest.approx(slope * old[1:])
    assert slope == pytest.approx(CHANGES[method].get("slope", 1.0), abs=0.15)
    assert bool(slope == 1.0) == (method == "in the large")


@pytest.mark.parametrize("method", CHANGES)
def test_heat_map_nomogram_and_interval_hold_for_the_new_bundle(updates, bundle, method):
    new = updates[method].new
    predictor = Predictor.load(new.folder, engine="torch", precision="fp32")
    prediction = predictor.predict(Case.of(make_frame(), ROI, CLINICAL))
    (view,) = prediction.views
    assert view.heatmap.mean() + view.heatmap_offset == pytest.approx(prediction.contributions["image"], abs=1e-4)
    assert prediction.intercept + sum(prediction.contributions.values()) == pytest.approx(prediction.logit)
    assert prediction.bundle_sha256 == new.sha256 != bundle.sha256
    points = score_points(predictor.bundle.fusion_heads["m1"], prediction.score, CLINICAL)
    assert points.probability == pytest.approx(prediction.probability)
    low, high = prediction.interval
    assert low < prediction.probability < high


def test_the_refits_are_recalibrated_as_the_model_and_hold_what_the_patients_leave_open(updates, bundle):
    new = updates["recalibration"].new
    old, now = bundle.fusion_heads["m1"], new.fusion_heads["m1"]
    slope = now.image_coef / old.image_coef
    assert now.bootstrap.shape == old.bootstrap.shape
    assert np.corrcoef(now.bootstrap[:, 3], old.bootstrap[:, 3])[0, 1] > 0.9
    assert now.bootstrap[:, 1:].mean(axis=0) == pytest.approx(slope * old.bootstrap[:, 1:].mean(axis=0), abs=0.02)
    assert now.bootstrap[:, 0].std() > slope * old.bootstrap[:, 0].std()
    assert np.array_equal(new.refits, bundle.refits)


def test_other_coefficients_are_fitted_anew(store, bundle, tmp_path):
    fill_register(store, bundle, n=600, turned=True)
    told = update_bundle(store, bundle.folder, tmp_path / "new", PLAN)
    old, now = bundle.fusion_heads["m1"], load_bundle(tmp_path / "new").fusion_heads["m1"]
    assert told["method"] == "refit"
    assert now.image_coef == pytest.approx(old.image_coef, abs=0.3)
    assert now.coefs[3] < 0 < old.coefs[3]
    assert now.bootstrap.mean(axis=0) == pytest.approx(list_coefs(now))


def test_a_bundle_that_fits_is_kept_and_nothing_is_written(store, bundle, tmp_path):
    fill_register(store, bundle)
    told = update_bundle(store, bundle.folder, tmp_path / "new", PLAN)
    assert (told["method"], told["bundle"]) == ("keep", None)
    assert not (tmp_path / "new").exists()


def test_figures_and_card_say_who_why_and_from_what(updates, bundle):
    new, told = updates["in the large"].new, updates["in the large"].told
    card = (new.folder / "CARD.md").read_text()
    for words in (bundle.sha256, PLAN.note, "By AB", "recalibrated in the large", "**Simulated.**"):
        assert words.lower() in card.lower()
    evidence = json.loads((new.folder / "evidence" / "update.json").read_text())
    assert evidence["tests"]["keep"]["p"] < 0.05 <= evidence["tests"]["in the large"]["p"]
    assert evidence["optimism"]["auc"]["corrected"] <= evidence["optimism"]["auc"]["apparent"] + 0.01
    assert told["optimism"]["n"] == N


def test_no_pseudonym_leaves_the_register_with_the_bundle(updates):
    new = updates["in the large"].new
    assert not any(b"PSEUDONYM" in path.read_bytes() for path in new.folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("method", CHANGES)
def test_later_patients_are_compared_with_those_of_the_update(updates, bundle, method):
    patients = read_patients(updates[method].store, bundle).table
    training = read_reference(updates[method].new).training
    assert training["image_score"].to_numpy() == pytest.approx(patients["image_score"].to_numpy())
    for name in ("age", "birads", "aln_suspicious"):
        assert training[name].fillna("").tolist() == patients[name].fillna("").tolist()


def test_evidence_without_clinical_values_is_no_reference(updates, tmp_path):
    new = updates["in the large"].new
    (tmp_path / "evidence").mkdir()
    rows = pd.read_csv(new.folder / "evidence" / "predictions.csv", dtype=str)
    rows[["patient_id", "split", "centre", "y", "ki67_pct", "prob"]].to_csv(
        tmp_path / "evidence" / "predictions.csv", index=False
    )
    assert read_reference(replace(new, folder=tmp_path)).training is None


def test_too_few_patients_are_refused_with_both_numbers(store, bundle, tmp_path):
    fill_register(store, bundle, n=60)
    with pytest.raises(
        InputError, match=r"needs 90 patients of the rarer class .* the register has \d+ with a high and"
    ):
        update_bundle(store, bundle.folder, tmp_path / "new", PLAN)
    assert not (tmp_path / "new").exists()


def test_only_prospective_estimates_of_this_bundle_with_an_outcome_count(store, bundle):
    fill_register(store, bundle, n=20)
    about = {"bundle_sha256": bundle.sha256}
    add_estimates(store, ["OPEN-1"], **about)
    add_estimates(store, ["OTHER-1"], bundle_sha256="c" * 64)
    enter(store, "OTHER-1", ki67_pct=30)
    enter(store, "LATE-1", ki67_pct=30)
    add_estimates(store, ["LATE-1"], **about)
    found = read_patients(store, bundle)
    assert found.table["patient_id"].tolist() == [f"PSEUDONYM-{i}" for i in range(20)]
    assert found.inputs.shape == (20, 8)
    assert not np.isnan(found.inputs).any()


def test_real_and_simulated_patients_are_never_mixed_in_silence(store, bundle):
    fill_register(store, bundle, n=12)
    add_estimates(store, ["SIM-1"], bundle_sha256=bundle.sha256, is_simulated=True)
    enter(store, "SIM-1", ki67_pct=30)
    with pytest.raises(UsageError, match="12 real and 1 simulated patients"):
        read_patients(store, bundle)
    assert len(read_patients(store, bundle, kind="simulated").table) == 1
    assert len(read_patients(store, bundle, kind="real").table) == 12


def test_estimates_that_run_against_the_outcomes_are_refused(store, bundle):
    fill_register(store, bundle, slope=-1.0)
    with pytest.raises(InputError, match=r"run against what pathology found \(slope -"):
        judge_bundle(store, bundle)


def test_a_bundle_is_never_written_over(updates, bundle):
    with pytest.raises(UsageError, match=r"holds a bundle already: choose another name\.$"):
        update_bundle(updates["in the large"].store, bundle.folder, bundle.folder, PLAN)


def test_a_tampered_bundle_is_neither_updated_nor_read(updates, store, tmp_path):
    shutil.copytree(updates["in the large"].new.folder, tmp_path / "changed")
    heads = tmp_path / "changed" / "heads.json"
    heads.write_text(heads.read_text().replace('"image_coef": ', '"image_coef": 1'), encoding="utf-8")
    with pytest.raises(ModelError, match="was changed after training"):
        load_bundle(tmp_path / "changed")
    with pytest.raises(ModelError, match="was changed after training"):
        update_bundle(store, tmp_path / "changed", tmp_path / "third", PLAN)


@pytest.mark.parametrize("plan", [{"author": ""}, {"note": " "}])
def test_an_update_needs_its_author_and_a_note(plan):
    with pytest.raises(UsageError, match="needs its author and a change note"):
        replace(PLAN, **plan)


def test_side_by_side_the_patients_of_the_update_stand_apart(updates, bundle):
    store, new = updates["in the large"].store, updates["in the large"].new
    for i in range(30):
        add_estimates(store, [f"NEXT-{i}"], bundle_sha256=bundle.sha256, image_score=float(i - 15) / 5)
        enter(store, f"NEXT-{i}", ki67_pct=40 if i % 3 else 10)
    since, fitted = compare_bundles(store, bundle, new)
    assert (fitted.n, fitted.is_fitted, since.n, since.is_fitted) == (N, True, 30, False)
    assert abs(fitted.other.intercept) < 0.05 < fitted.current.intercept
    assert fitted.roc.difference == pytest.approx(0, abs=0.01)
    assert (fitted.reclassified["n"].sum(), since.reclassified["n"].sum()) == (N, 30)


def test_patients_of_another_register_were_not_fitted_on(updates, store, bundle):
    fill_register(store, bundle, n=60)
    (found,) = compare_bundles(store, bundle, updates["in the large"].new)
    assert (found.patients, found.n, found.is_fitted) == ("real patients", 60, False)


def test_the_command_line_checks_updates_and_refuses(updates, bundle, tmp_path):
    url = str(updates["recalibration"].store.url)
    common = ["update", str(bundle.folder), "--database", url]
    run = CliRunner()
    assert json.loads(run.invoke(app, [*common, "--check", "--json"]).stdout)["method"] == "recalibration"
    done = run.invoke(app, [*common, "--out", str(tmp_path / "new"), "--author", "AB", "--note", "Higher share."])
    assert "Recalibrated (new intercept and slope)" in done.stdout
    assert load_bundle(tmp_path / "new").sha256 in done.stdout
    assert isinstance(run.invoke(app, [*common, "--out", str(tmp_path / "other")]).exception, UsageError)
    assert isinstance(run.invoke(app, common).exception, UsageError)


def test_the_estimate_of_a_row_is_the_registers(store, bundle):
    fill_register(store, bundle, n=15)
    table = read_patients(store, bundle).table
    assert estimate(bundle.fusion_heads["m1"], table) == pytest.approx(logit(table["prob"]))

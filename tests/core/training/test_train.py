"""A bundle trained on a small simulated cohort, from the manifest to the Predictor."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.cohort import read_predictions
from core.errors import TableError
from core.figures.cohort.evaluate import evaluate_cohort
from core.imaging import Roi, read_frame
from core.inference import Case, Predictor
from core.simulation import write_cohort
from core.training.backbone.folder import BACKBONE, make_reference
from core.training.bundle import train
from core.training.bundle.evidence import pick_metrics
from core.training.bundle.train import TrainingPlan, train_bundle
from models.bundle import WEIGHTS, read_bundle
from models.cutoff import Cutoff
from tests.pages.test_shipped_evidence import find_differences

PLAN = TrainingPlan(name="small", description="Simulated patients of a test.", simulated=True, n_refits=12)
N = 96


@pytest.fixture(autouse=True, scope="module")
def few_patients() -> Iterator[None]:
    """Let the tests train on fewer patients than a model needs."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(train, "MIN_TRAIN", 30)
        yield


@pytest.fixture(scope="module")
def backbone(bundle_dir: Path) -> Path:
    """Complete the fixture bundle's backbone by its card."""
    folder = (bundle_dir / "../backbone").resolve()
    rng, read = np.random.default_rng(0), read_bundle(bundle_dir)
    card = {
        "input": {"size": 96, "context": 1.75, "mean": 0.28, "std": 0.2},
        "architecture": read.manifest.architecture,
        "malignancy": read.image_heads["malignancy"].to_json(),
        "reference": make_reference(rng.normal(size=(50, len(read.image_heads["malignancy"].weights)))),
        "gate": dict(read.gate),
        "gate_figures": {},
    }
    BACKBONE.write(folder, card, [WEIGHTS], "# Backbone\n")
    return folder


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_cohort(tmp_path_factory.mktemp("cohort"), N, 11)


@pytest.fixture(scope="module")
def trained(manifest: Path, backbone: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict]:
    out = tmp_path_factory.mktemp("models") / "small"
    return out, train_bundle(manifest, backbone, out, PLAN, progress=lambda done, total: None)


def test_every_patient_has_a_prediction_of_every_model(trained: tuple[Path, dict]) -> None:
    table = pd.read_csv(trained[0] / "evidence" / "predictions.csv")
    assert len(table) == N
    assert (
        table[["prob", "prob_image", "prob_clinical", "prob_m2", "prob_lnm"]]
        .apply(lambda p: p.between(0, 1).all())
        .all()
    )
    assert set(table.loc[table["centre"] == "D", "split"]) == {"external"}


def test_the_metrics_are_those_that_evaluate_gives(trained: tuple[Path, dict]) -> None:
    """As tests/pages/test_shipped_evidence.py asks of the shipped bundle."""
    shipped = json.loads((trained[0] / "evidence" / "metrics.json").read_text())
    computed = pick_metrics(evaluate_cohort(read_predictions(trained[0] / "evidence" / "predictions.csv").table))
    assert find_differences(shipped, json.loads(json.dumps(computed))) == []


def test_a_finished_bundle_keeps_no_features_of_patients(trained: tuple[Path, dict]) -> None:
    assert sorted(p.name for p in trained[0].iterdir()) == [
        "CARD.md",
        "evidence",
        "heads.json",
        "manifest.json",
        "refits.safetensors",
    ]


def test_the_evidence_is_what_the_predictor_gives(trained: tuple[Path, dict], manifest: Path) -> None:
    """Scores of patients who were not trained on are those of the bundle itself."""
    evidence = pd.read_csv(trained[0] / "evidence" / "predictions.csv", index_col="patient_id")
    cohort = pd.read_csv(manifest, index_col="patient_id", dtype=str)
    predictor = Predictor.load(trained[0], engine="torch", precision="fp32")
    for patient in evidence.index[evidence["split"] == "external"][:3]:
        row = cohort.loc[patient]
        frame = read_frame((manifest.parent / row["image"]).read_bytes())
        box = frame.to_frame(Roi(*map(float, row["box"].split(","))))
        fields = [term.field for term in predictor.bundle.fusion_heads["m1"].terms]
        clinical = {name: row[name] for name in fields if isinstance(row[name], str)}
        assert predictor.predict(Case.of(frame, box, clinical)).probability == pytest.approx(
            evidence.loc[patient, "prob"], abs=2e-4
        )


def test_labels_of_other_splits_do_not_shape_the_bundle(
    trained: tuple[Path, dict], manifest: Path, backbone: Path, tmp_path: Path
) -> None:
    """Changed Ki-67 of the test patients leaves every coefficient as it was."""
    table = pd.read_csv(manifest, dtype=str, keep_default_na=False)
    held = table["split"].isin(["test", "external"])
    table.loc[held, "ki67_pct"] = "90"
    table["image"] = [str(manifest.parent / name) for name in table["image"]]
    table.to_csv(tmp_path / "changed.csv", index=False)
    train_bundle(tmp_path / "changed.csv", backbone, tmp_path / "changed", PLAN, progress=lambda done, total: None)
    before, after = (json.loads((folder / "heads.json").read_text()) for folder in (trained[0], tmp_path / "changed"))
    assert before["image"]["ki67"] == after["image"]["ki67"]
    assert before["fusion"]["m1"] == after["fusion"]["m1"]


def test_the_bundle_verifies_and_says_that_it_is_simulated(trained: tuple[Path, dict]) -> None:
    bundle = read_bundle(trained[0])
    assert bundle.is_simulated
    assert bundle.manifest.cutoff == Cutoff(20.0, ">=")
    assert "**Simulated.**" in (trained[0] / "CARD.md").read_text()
    low, high = bundle.manifest.call_rule.indeterminate
    assert low < bundle.manifest.call_rule.threshold < high


def test_the_same_patients_in_another_order_give_the_same_heads(
    trained: tuple[Path, dict], manifest: Path, backbone: Path, tmp_path: Path
) -> None:
    table = pd.read_csv(manifest, dtype=str, keep_default_na=False).sample(frac=1, random_state=1)
    table["image"] = [str(manifest.parent / name) for name in table["image"]]
    table.to_csv(tmp_path / "shuffled.csv", index=False)
    train_bundle(tmp_path / "shuffled.csv", backbone, tmp_path / "again", PLAN, progress=lambda done, total: None)
    for name in ("heads.json", "refits.safetensors", "evidence/predictions.csv"):
        assert (tmp_path / "again" / name).read_bytes() == (trained[0] / name).read_bytes()


def test_another_hospitals_manifest_works(manifest: Path, backbone: Path, tmp_path: Path) -> None:
    """Other centres, no split, no biopsy columns, one unreadable image, another cut-off."""
    table = pd.read_csv(manifest, dtype=str, keep_default_na=False)
    own = table[["patient_id", "centre", "age", "size_mm", "ki67_pct", "box"]].copy()
    own["centre"] = own["centre"].replace({"A": "Lyon", "B": "Turin", "C": "Turin", "D": "Graz"})
    own["image"] = [str(manifest.parent / name) for name in table["image"]]
    (tmp_path / "broken.png").write_text("no image")
    own.loc[0, "image"] = "broken.png"
    own.to_csv(tmp_path / "own.csv", index=False)
    plan = TrainingPlan(
        name="own", description="x", simulated=True, cutoff=Cutoff(14.0, ">"), external=("Graz",), n_refits=12
    )
    summary = train_bundle(tmp_path / "own.csv", backbone, tmp_path / "own", plan, progress=lambda done, total: None)
    assert [number for number, _ in summary["refused"]] == [2]
    bundle = read_bundle(tmp_path / "own")
    assert bundle.manifest.predictors == ("age", "size_mm")
    assert bundle.manifest.training_data.external_centres == ("Graz",)
    assert set(bundle.fusion_heads) == {"m1", "image", "clinical"}


def test_too_few_patients_are_refused(manifest: Path, backbone: Path, tmp_path: Path) -> None:
    table = pd.read_csv(manifest, dtype=str, keep_default_na=False).iloc[:20]
    table["image"] = [str(manifest.parent / name) for name in table["image"]]
    table.to_csv(tmp_path / "few.csv", index=False)
    with pytest.raises(TableError, match="training patients with a readable image are too few"):
        train_bundle(tmp_path / "few.csv", backbone, tmp_path / "few", PLAN, progress=lambda done, total: None)

"""A bundle trained on a small simulated cohort, from the manifest to the Predictor."""

import dataclasses
import json
from itertools import count
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from core.cohort import read_predictions
from core.cohort.manifest import read_manifest
from core.cohort.splits import SplitRule
from core.errors import TableError
from core.figures.cohort.evaluate import evaluate_cohort
from core.figures.evidence import name_cohort
from core.imaging import Roi, read_frame
from core.inference import Case, Predictor
from core.inference.applicability import Gate
from core.inference.engines.torch import TorchEngine
from core.inference.lesion_finder import LesionFinder, propose_box
from core.inference.render import describe_use
from core.paper.paper import write_paper
from core.paper.study import read_study
from core.training.backbone.folder import BACKBONE
from core.training.bundle.evidence import pick_metrics
from core.training.bundle.train import train_bundle
from core.training.check import check_manifest
from core.training.features import Features, extract_features
from core.training.plan import TrainingPlan
from core.ui.page import mark_training
from models.bundle import WEIGHTS, read_bundle
from models.cutoff import Cutoff
from models.input_rule import InputRule
from tests.core.training.small_cohort import read_small_cohort, write_small_cohort
from tests.core.training.small_training import complete_backbone
from tests.pages.test_shipped_evidence import find_differences

PLAN = TrainingPlan(name="small", description="Simulated patients of a test.", simulated=True, n_refits=12, few=True)
N = 66
RULE = InputRule(96, 1.75, 0.28, 0.2)


@pytest.fixture(scope="module")
def backbone(bundle_dir: Path) -> Path:
    return complete_backbone(bundle_dir)


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_small_cohort(tmp_path_factory.mktemp("cohort") / "patients", N)


@pytest.fixture(scope="module")
def trained(manifest: Path, backbone: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict]:
    out = tmp_path_factory.mktemp("models") / "small"
    return out, train_bundle(manifest, backbone, out, PLAN, progress=lambda step, done, total: None)


def read_images(images: pd.DataFrame, backbone: Path, folder: Path) -> Features:
    """Read a manifest's images as a training does."""
    engine = TorchEngine(backbone / WEIGHTS, RULE, precision="fp32")
    gate = Gate.from_json(BACKBONE.read(backbone)[0]["gate"])
    return extract_features(images, engine, folder / "cache", lambda done, total: None, gate=gate)


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
    table = read_small_cohort(manifest)
    held = table["split"].isin(["test", "external"])
    table.loc[held, "ki67_pct"] = "90"
    table.to_csv(tmp_path / "changed.csv", index=False)
    train_bundle(
        tmp_path / "changed.csv", backbone, tmp_path / "changed", PLAN, progress=lambda step, done, total: None
    )
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


def test_a_bundle_for_trying_out_says_so_wherever_its_figures_stand(trained: tuple[Path, dict]) -> None:
    bundle = read_bundle(trained[0])
    assert bundle.is_few
    paper = write_paper(read_study(trained[0]))
    assert "MODEL FOR TRYING OUT ONLY" in paper.marks
    assert all("TRYING OUT" in figure.note for _, figure in paper.figures)
    for words in (
        mark_training(bundle),
        describe_use(bundle),
        name_cohort(bundle),
        (trained[0] / "CARD.md").read_text(),
    ):
        assert "trying out only" in words.lower()


def test_the_same_patients_in_another_order_give_the_same_heads(
    trained: tuple[Path, dict], manifest: Path, backbone: Path, tmp_path: Path
) -> None:
    table = read_small_cohort(manifest).sample(frac=1, random_state=1)
    table.to_csv(tmp_path / "shuffled.csv", index=False)
    train_bundle(tmp_path / "shuffled.csv", backbone, tmp_path / "again", PLAN, progress=lambda step, done, total: None)
    for name in ("heads.json", "refits.safetensors", "evidence/predictions.csv"):
        assert (tmp_path / "again" / name).read_bytes() == (trained[0] / name).read_bytes()


def test_another_hospitals_manifest_works(manifest: Path, backbone: Path, tmp_path: Path) -> None:
    """Other centres, no split, no biopsy columns, one unreadable image, another cut-off."""
    table = read_small_cohort(manifest)
    own = table[["patient_id", "centre", "age", "size_mm", "ki67_pct", "box", "image"]].copy()
    own["centre"] = own["centre"].replace({"A": "Lyon", "B": "Turin", "C": "Turin", "D": "Lyon"})
    own.loc[own.index[-8:], "centre"] = "Graz"
    (tmp_path / "broken.png").write_text("no image")
    own.loc[0, "image"] = "broken.png"
    own.to_csv(tmp_path / "own.csv", index=False)
    plan = TrainingPlan(
        name="own", description="x", simulated=True, cutoff=Cutoff(14.0, ">"), external=("Graz",), n_refits=12, few=True
    )
    summary = train_bundle(
        tmp_path / "own.csv", backbone, tmp_path / "own", plan, progress=lambda step, done, total: None
    )
    assert [number for number, _ in summary["refused"]] == [2]
    bundle = read_bundle(tmp_path / "own")
    assert bundle.manifest.predictors == ("age", "size_mm")
    assert bundle.manifest.training_data.external_centres == ("Graz",)
    assert set(bundle.fusion_heads) == {"m1", "image", "clinical"}


def spoil(manifest: Path, folder: Path, change) -> Path:
    """Write a changed copy of the manifest elsewhere."""
    change(read_small_cohort(manifest)).to_csv(folder / "changed.csv", index=False)
    return folder / "changed.csv"


def test_a_picture_that_is_no_ultrasound_is_no_training_row_unless_it_is_kept(
    manifest: Path, backbone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    noise = np.random.default_rng(5).integers(0, 256, (240, 320), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "noise.png")

    def add(table: pd.DataFrame) -> pd.DataFrame:
        table.loc[0, ["image", "box"]] = [str(tmp_path / "noise.png"), "80,60,240,180"]
        return table

    def judge(_gate: Gate, pooled: np.ndarray, *, is_ultrasound: bool) -> tuple[str, str]:
        return ("refused", "No ultrasound.") if next(calls) == position else ("ok", "")

    changed = spoil(manifest, tmp_path, add)
    images = read_manifest(changed, SplitRule((), PLAN.cutoff, PLAN.seed)).images
    position = list(images["row"]).index(2)
    monkeypatch.setattr(Gate, "assess", judge)
    found = []
    for kept in (frozenset(), frozenset({2})):
        calls = count()
        engine = TorchEngine(backbone / WEIGHTS, RULE, precision="fp32")
        gate = Gate.from_json(BACKBONE.read(backbone)[0]["gate"])
        found.append(
            extract_features(images, engine, tmp_path / "cache", lambda done, total: None, gate=gate, kept=kept)
        )
    assert found[0].refused == ((2, "No ultrasound. If it is one, --keep 2 takes it."),)
    assert found[0].is_read.sum() == len(images) - 1
    assert found[0].count_gate() == {"n": N, "passed": N - 1, "cautioned": 0, "refused": 1}
    assert not found[1].refused
    assert found[1].is_read.all()


def test_an_image_that_no_estimate_is_made_of_is_no_training_row_unless_it_is_kept(
    manifest: Path, backbone: Path, tmp_path: Path
) -> None:
    """Colour over the lesion and a blank image, which `predict` and `score` refuse, not only what the gate refuses."""
    images = read_manifest(manifest, SplitRule((), PLAN.cutoff, PLAN.seed)).images.iloc[:3].reset_index(drop=True)
    grey = np.asarray(Image.open(images.loc[0, "path"]).convert("RGB")).copy()
    x0, y0, x1, y1 = map(int, images.loc[0, "box"])
    grey[y0:y1, x0:x1, 1:] = 0
    Image.fromarray(grey).save(tmp_path / "doppler.png")
    Image.fromarray(np.full((480, 640), 40, dtype=np.uint8)).save(tmp_path / "blank.png")
    images["path"] = [tmp_path / "doppler.png", tmp_path / "blank.png", images.loc[2, "path"]]
    images.at[1, "box"] = (100.0, 100.0, 300.0, 300.0)
    gate = Gate.from_json(BACKBONE.read(backbone)[0]["gate"])
    gate = Gate(gate.head, caution=np.inf, refuse=np.inf)
    engine = TorchEngine(backbone / WEIGHTS, RULE, precision="fp32")
    found = extract_features(images, engine, tmp_path / "cache", lambda done, total: None, gate=gate)
    rows = [int(row) for row in images["row"]]
    reasons = dict(found.refused)
    assert sorted(reasons) == sorted(rows[:2])
    assert reasons[rows[0]].startswith("Colour (Doppler or elastography) covers")
    assert reasons[rows[1]].startswith("The image is blank.")
    assert found.count_gate()["refused"] == 2
    assert list(found.is_read) == [False, False, True]
    kept = extract_features(
        images, engine, tmp_path / "cache", lambda done, total: None, gate=gate, kept=frozenset(rows)
    )
    assert kept.is_read.all()


def test_an_image_that_vanishes_while_a_bundle_is_trained_is_named_and_the_rest_goes_on(
    manifest: Path, backbone: Path, tmp_path: Path
) -> None:
    table = read_small_cohort(manifest)
    place = int(np.flatnonzero(table["split"] == "train")[0])
    image = tmp_path / "there.png"
    image.write_bytes(Path(table.loc[place, "image"]).read_bytes())

    def move(table: pd.DataFrame) -> pd.DataFrame:
        table.loc[place, "image"] = str(image)
        return table

    def take_away(step: str, done: int, total: int) -> None:
        if step == "images" and done == total:
            image.unlink(missing_ok=True)

    changed = spoil(manifest, tmp_path, move)
    summary = train_bundle(changed, backbone, tmp_path / "out", PLAN, progress=take_away)
    assert summary["refused"] == ((place + 2, "The image file can't be opened."),)
    assert summary["flow"]["rows_refused"] == 1
    evidence = pd.read_csv(tmp_path / "out" / "evidence" / "predictions.csv")
    assert set(table["patient_id"]) - set(evidence["patient_id"]) == {table.loc[place, "patient_id"]}
    assert sum(summary["flow"]["boxes"].values()) == N - 1


def test_one_image_under_two_patients_is_no_training_row_and_a_near_copy_is_questioned(
    manifest: Path, backbone: Path, tmp_path: Path
) -> None:
    def share(table: pd.DataFrame) -> pd.DataFrame:
        table.loc[4, ["image", "box"]] = table.loc[9, ["image", "box"]]
        return table

    changed = spoil(manifest, tmp_path, share)
    images = read_manifest(changed, PLAN.split_rule).images
    found = read_images(images, backbone, tmp_path)
    assert {row: sentence[:29] for row, sentence in found.refused} == {
        6: "The same image is in row 11 u",
        11: "The same image is in row 6 un",
    }
    assert "Nearly the same image is in row 4 under another patient_id." in dict(found.cautions)[2]
    assert check_manifest(changed, PLAN)["images_shared"] == [[6, 11]]


def test_one_image_under_two_patients_is_found_where_a_third_has_nearly_the_same(
    manifest: Path, backbone: Path, tmp_path: Path
) -> None:
    """Rows 2 and 4 show frames that differ by their brightness; row 4's stands in row 15 too."""

    def share(table: pd.DataFrame) -> pd.DataFrame:
        table.loc[13, ["image", "box"]] = table.loc[2, ["image", "box"]]
        return table

    images = read_manifest(spoil(manifest, tmp_path, share), PLAN.split_rule).images
    found = read_images(images, backbone, tmp_path)
    assert {row: sentence[:33] for row, sentence in found.refused} == {
        4: "The same image is in row 15 under",
        15: "The same image is in row 4 under ",
    }


def test_an_image_that_stands_twice_for_a_patient_counts_once(
    trained: tuple[Path, dict], manifest: Path, backbone: Path, tmp_path: Path
) -> None:
    """It would weigh double, and count as two views that do not differ."""
    changed = spoil(manifest, tmp_path, lambda t: pd.concat([t, t.tail(2)], ignore_index=True))
    summary = train_bundle(changed, backbone, tmp_path / "out", PLAN, progress=lambda step, done, total: None)
    assert [sentence for _, sentence in summary["refused"]] == [
        f"The same image with the same box is in row {row}." for row in (N, N + 1)
    ]
    assert (tmp_path / "out/heads.json").read_bytes() == (trained[0] / "heads.json").read_bytes()


def test_what_training_can_not_do_is_said_before_it_starts(manifest: Path, backbone: Path, tmp_path: Path) -> None:
    """One class alone, nobody held out, and an external centre that the manifest's own split trains on."""
    one = spoil(manifest, tmp_path, lambda t: t.assign(ki67_pct="30"))
    steps: list[str] = []
    with pytest.raises(TableError, match="at least 3 of each class"):
        train_bundle(one, backbone, tmp_path / "out", PLAN, progress=lambda step, done, total: steps.append(step))
    assert not steps
    assert not check_manifest(one, PLAN)["is_enough"]
    nobody = spoil(manifest, tmp_path, lambda t: t.assign(split="train"))
    assert any("No patient is held out" in one for one in check_manifest(nobody, PLAN)["findings"])
    assert not any("No patient is held out" in one for one in check_manifest(manifest, PLAN)["findings"])
    with pytest.raises(TableError, match="patients of A are not external in it"):
        check_manifest(manifest, dataclasses.replace(PLAN, external=("A",)))
    assert check_manifest(manifest, dataclasses.replace(PLAN, external=("D",)))["is_enough"]


def test_rows_without_a_box_get_the_box_that_predict_proposes(
    manifest: Path, backbone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sought, find = [], LesionFinder.find
    monkeypatch.setattr(LesionFinder, "find", lambda finder, frame: sought.append(frame) or find(finder, frame))
    changed = spoil(manifest, tmp_path, lambda t: t.assign(box=["" if i % 2 else b for i, b in enumerate(t["box"])]))
    summary = train_bundle(changed, backbone, tmp_path / "out", PLAN, progress=lambda step, done, total: None)
    boxes = summary["flow"]["boxes"]
    assert len(sought) == N // 2  # once an image, the views taken from it included
    evidence = pd.read_csv(tmp_path / "out" / "evidence" / "predictions.csv", index_col="patient_id")
    cohort = pd.read_csv(changed, index_col="patient_id", dtype=str)
    predictor = Predictor.load(tmp_path / "out", engine="torch", precision="fp32")
    assert boxes["drawn"] == N // 2
    assert sum(boxes.values()) == N
    assert boxes["proposed"] > N // 4
    patient = evidence.index[(evidence["split"] == "external") & (evidence["box_source"] == "proposed")][0]
    frame = read_frame(Path(cohort.loc[patient, "image"]).read_bytes())
    fields = [term.field for term in predictor.bundle.fusion_heads["m1"].terms]
    clinical = {name: cohort.loc[patient, name] for name in fields if isinstance(cohort.loc[patient, name], str)}
    case = Case.of(frame, propose_box(frame, predictor.find_lesions)[0], clinical)
    assert predictor.predict(case).probability == pytest.approx(evidence.loc[patient, "prob"], abs=2e-4)
    assert f"{boxes['proposed']} proposed by the segmenter" in (tmp_path / "out" / "CARD.md").read_text()


def test_few_events_for_each_coefficient_are_said(trained: tuple[Path, dict]) -> None:
    assert any("fewer than 10: the fit is likely to be too extreme" in note for note in trained[1]["notes"])


def test_a_manifest_is_checked_without_a_network(manifest: Path, tmp_path: Path) -> None:
    def damage(table: pd.DataFrame) -> pd.DataFrame:
        table.loc[0, "image"] = str(tmp_path / "missing.png")
        table.loc[1, "ki67_pct"] = "soon"
        table.loc[3, "box"] = ""
        table.loc[4, "box"] = "1100,20,1300,90"
        table.loc[5, "image"] = str(tmp_path / "words.png")
        return table.assign(odd="1")

    (tmp_path / "words.png").write_text("no image")
    changed = spoil(manifest, tmp_path, damage)
    found = check_manifest(changed, PLAN)
    assert [row for row, _ in found["refused"]] == [2, 3, 6, 7]
    assert dict(found["refused"])[6].startswith("box lies outside the image, which is ")
    assert found["images_without_box"] == 1
    assert found["is_enough"]
    lacking = check_manifest(changed, dataclasses.replace(PLAN, few=False))
    assert not lacking["is_enough"]
    assert any(line.endswith("For trying out only, 30 are enough: --few") for line in lacking["findings"])
    assert sum(part["patients"] for part in found["splits"].values()) == N - 4
    assert ("odd", "") in found["unread"]


def test_too_few_patients_name_the_rows_that_were_refused(manifest: Path, backbone: Path, tmp_path: Path) -> None:
    changed = spoil(manifest, tmp_path, lambda t: t.iloc[:20].assign(ki67_pct=["no", *t["ki67_pct"][1:20]]))
    with pytest.raises(
        TableError, match=r"are too few; at least 30 .* of the rarer class: .* 8 coefficients"
    ) as raised:
        train_bundle(changed, backbone, tmp_path / "few", PLAN, progress=lambda step, done, total: None)
    assert [row for row, _ in raised.value.rows] == [2]


def test_too_few_patients_are_refused(manifest: Path, backbone: Path, tmp_path: Path) -> None:
    table = read_small_cohort(manifest).iloc[:20]
    table.to_csv(tmp_path / "few.csv", index=False)
    with pytest.raises(TableError, match="training patients are too few"):
        train_bundle(tmp_path / "few.csv", backbone, tmp_path / "few", PLAN, progress=lambda step, done, total: None)

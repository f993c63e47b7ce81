import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.cohort import read_predictions
from core.cohort.scoring.local import LocalScorer
from core.cohort.scoring.score import score_manifest
from core.errors import TableError
from core.imaging import Roi, read_frame
from core.inference.lesion_finder import propose_box
from core.inference.predictor import Case, Predictor
from core.simulation import write_cohort
from models.cutoff import Cutoff

N = 8


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_cohort(tmp_path_factory.mktemp("score"), N, 3)


@pytest.fixture(scope="module")
def predictor(bundle_dir: Path) -> Predictor:
    return Predictor.load(bundle_dir, engine="torch", precision="fp32")


def score(manifest: Path, predictor: Predictor, journal: Path, progress=lambda done, total: None):
    return score_manifest(manifest, LocalScorer(predictor), journal, progress=progress)


def rewrite(manifest: Path, name: str, change) -> Path:
    """Write a changed copy beside the manifest, so that its image paths hold."""
    table = pd.read_csv(manifest, dtype=str, keep_default_na=False)
    changed = manifest.with_name(name)
    change(table).to_csv(changed, index=False)
    return changed


def test_scores_are_those_of_the_predictor(manifest: Path, predictor: Predictor, tmp_path: Path) -> None:
    scored = score(manifest, predictor, tmp_path / "part")
    bare = rewrite(manifest, "bare.csv", lambda t: t[["patient_id", "image", "box"]])
    alone = score(bare, predictor, tmp_path / "bare").table
    first = pd.read_csv(manifest, dtype=str).iloc[0]
    frame = read_frame((manifest.parent / first["image"]).read_bytes())
    box = frame.to_frame(Roi(*map(float, first["box"].split(","))))
    assert len(scored.table) == scored.images == N
    assert not scored.refused
    prediction = predictor.predict(Case.of(frame, box))
    assert alone["prob"][0] == pytest.approx(prediction.probability, abs=1e-6)
    assert tuple(alone.loc[0, ["interval_low", "interval_high"]]) == pytest.approx(prediction.interval, abs=1e-5)
    assert list(alone.columns)[:3] == ["patient_id", "split", "centre"]
    assert "y" not in alone


def test_names_and_paths_as_others_write_them(manifest: Path, predictor: Predictor, tmp_path: Path) -> None:
    names = {"patient_id": "Patient ID", "image": "File", "box": "ROI"}
    windows = rewrite(
        manifest, "windows.csv", lambda t: t.assign(image=t["image"].str.replace("/", "\\")).rename(columns=names)
    )
    expected = score(manifest, predictor, tmp_path / "part").table
    pd.testing.assert_frame_equal(score(windows, predictor, tmp_path / "windows").table, expected)


def test_two_columns_that_fit_one_name_are_refused(manifest: Path, predictor: Predictor, tmp_path: Path) -> None:
    twice = rewrite(manifest, "twice.csv", lambda t: t.drop(columns="image").assign(file=t["image"], path=t["image"]))
    with pytest.raises(TableError, match="2 columns of the file fit 'image'"):
        score(twice, predictor, tmp_path / "part")


def test_the_table_is_one_that_evaluate_reads(manifest: Path, predictor: Predictor, tmp_path: Path) -> None:
    out = tmp_path / "predictions.csv"
    score(manifest, predictor, tmp_path / "part").table.to_csv(out, index=False)
    read = read_predictions(out)
    assert len(read.table) == N
    assert not read.refused


def test_a_range_of_ki67_stays_a_range(manifest: Path, predictor: Predictor, tmp_path: Path) -> None:
    given = ["20-30", "<15", ">40", *["25"] * (N - 3)]
    ranges = rewrite(manifest, "ranges.csv", lambda t: t.assign(ki67_pct=given))
    table = score(ranges, predictor, tmp_path / "part").table
    assert table["ki67_pct"].tolist() == ["20 to 30", "<15", ">40", *[25.0] * (N - 3)]
    out = tmp_path / "predictions.csv"
    table.drop(columns="y").to_csv(out, index=False)
    read = read_predictions(out, cutoff=Cutoff(25.0))
    assert read.refused == ((2, "ki67_pct lies on both sides of the cut-off, 25 % or more"),)


def test_a_stopped_run_goes_on_to_the_same_bytes(manifest: Path, predictor: Predictor, tmp_path: Path) -> None:
    def stop(done: int, total: int) -> None:
        if done == 3:
            raise KeyboardInterrupt

    whole = score(manifest, predictor, tmp_path / "whole").table.to_csv()
    with pytest.raises(KeyboardInterrupt):
        score(manifest, predictor, tmp_path / "part", stop)
    with (tmp_path / "part").open("a") as journal:
        journal.write('[6, "9-9", {"scores"')
    again: list[int] = []
    resumed = score(manifest, predictor, tmp_path / "part", lambda done, total: again.append(done))
    assert again == [4, 5, 6, 7, 8]
    assert resumed.table.to_csv() == whole


def test_an_image_that_was_changed_is_read_again(manifest: Path, predictor: Predictor, tmp_path: Path) -> None:
    table = pd.read_csv(manifest, dtype=str, keep_default_na=False)
    table["image"] = [str(manifest.parent / name) for name in table["image"]]
    table.loc[0, "image"] = str(tmp_path / "first.png")
    (tmp_path / "first.png").write_bytes(Path(table["image"][1]).read_bytes())
    table.to_csv(tmp_path / "own.csv", index=False)
    before = score(tmp_path / "own.csv", predictor, tmp_path / "part").table
    (tmp_path / "first.png").write_bytes(Path(table["image"][2]).read_bytes())
    done: list[int] = []
    after = score(tmp_path / "own.csv", predictor, tmp_path / "part", lambda n, total: done.append(n)).table
    assert done == [N]
    assert before["prob"][0] != after["prob"][0]
    assert before["prob"][1:].tolist() == after["prob"][1:].tolist()


def test_rows_without_a_box_get_the_segmenters(manifest: Path, predictor: Predictor, tmp_path: Path) -> None:
    bare = rewrite(manifest, "unboxed.csv", lambda t: t.assign(box=["", *t["box"][1:]]))
    scored = score(bare, predictor, tmp_path / "part")
    row = pd.read_csv(manifest, dtype=str).iloc[0]
    frame = read_frame((manifest.parent / row["image"]).read_bytes())
    roi, source = propose_box(frame, predictor.find_lesions)
    alone = rewrite(manifest, "alone.csv", lambda t: t[["patient_id", "image", "box"]].assign(box=["", *t["box"][1:]]))
    first = score(alone, predictor, tmp_path / "alone").table
    assert scored.boxes == {"drawn": N - 1, source: 1}
    assert scored.table["box_source"].tolist() == [source, *["drawn"] * (N - 1)]
    assert first["prob"][0] == pytest.approx(predictor.predict(Case.of(frame, roi)).probability, abs=1e-6)


def test_a_journal_of_another_manifest_is_not_taken_over(manifest: Path, predictor: Predictor, tmp_path: Path) -> None:
    journal = tmp_path / "part"
    journal.write_text("another\n" + json.dumps([2, "9-9", {"scores": {"ki67": 99.0}}]) + "\n")
    assert score(manifest, predictor, journal).table["prob"].tolist() == pytest.approx(
        score(manifest, predictor, tmp_path / "fresh").table["prob"].tolist()
    )


def test_bad_rows_are_named_and_the_others_scored(manifest: Path, predictor: Predictor, tmp_path: Path) -> None:
    def spoil(table: pd.DataFrame) -> pd.DataFrame:
        table.loc[1, "image"] = "missing.png"
        table.loc[2, "box"] = "9,9,1,1"
        table.loc[3, "age"] = "old"
        table.loc[4, "image"] = "text.png"
        return table

    (manifest.parent / "text.png").write_text("no image")
    scored = score(rewrite(manifest, "bad.csv", spoil), predictor, tmp_path / "part")
    assert [row for row, _ in scored.refused] == [3, 4, 6]
    assert scored.reading.describe()[0] == "age: 'old' is not a number in 1 row, left out."
    assert len(scored.table) == N - 3


def test_images_of_one_patient_give_one_score(manifest: Path, predictor: Predictor, tmp_path: Path) -> None:
    def join(table: pd.DataFrame) -> pd.DataFrame:
        table = table[["patient_id", "image", "box"]].iloc[:2]
        return table.assign(patient_id="P")

    bare = rewrite(manifest, "bare.csv", lambda t: t[["patient_id", "image", "box"]].iloc[:2])
    apart = score(bare, predictor, tmp_path / "apart").table
    together = score(rewrite(manifest, "joined.csv", join), predictor, tmp_path / "joined").table
    log_odds = np.log(apart["prob"] / (1 - apart["prob"]))
    assert len(together) == 1
    assert together["prob"][0] == pytest.approx(1 / (1 + np.exp(-log_odds.mean())))
    assert (together["interval_low"] <= together["interval_high"]).all()


def test_an_interval_that_an_earlier_version_did_not_score_is_not_known(
    manifest: Path, predictor: Predictor, tmp_path: Path
) -> None:
    score(manifest, predictor, tmp_path / "part")
    lines = (tmp_path / "part").read_text().splitlines()
    rows = [json.loads(line) for line in lines[1:]]
    for row in rows[:1]:
        row[2].pop("refits")
    (tmp_path / "part").write_text("\n".join([lines[0], *map(json.dumps, rows)]) + "\n")
    table = score(manifest, predictor, tmp_path / "part").table
    assert table["interval_low"].isna().sum() == table["interval_high"].isna().sum() == 1


def test_a_manifest_without_images_is_refused(manifest: Path, predictor: Predictor, tmp_path: Path) -> None:
    with pytest.raises(TableError, match="no column image"):
        score(rewrite(manifest, "none.csv", lambda t: t[["patient_id"]]), predictor, tmp_path / "part")
    with pytest.raises(TableError, match=r"None of the 8 rows") as caught:
        score(rewrite(manifest, "gone.csv", lambda t: t.assign(image="gone.png")), predictor, tmp_path / "part")
    assert len(caught.value.rows) == N

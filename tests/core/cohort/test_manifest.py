import itertools
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from core.cohort import Choices
from core.cohort.box_column import parse_box
from core.cohort.manifest import read_manifest, read_rows
from core.cohort.splits import SplitRule
from core.errors import TableError
from models.cutoff import Cutoff

CASES = Path(__file__).parent / "cases"
RULE = SplitRule(external=("D",), cutoff=Cutoff(), seed=1)


def write(folder: Path, rows: list[dict[str, object]]) -> Path:
    (folder / "a.png").write_bytes(b"")
    path = folder / "manifest.csv"
    pd.DataFrame(rows).to_csv(path, index=False)
    return path


def make_rows(n: int = 120) -> list[dict[str, object]]:
    return [
        {
            "patient_id": f"P{i:03d}",
            "centre": "ABCD"[i % 4],
            "image": "a.png",
            "ki67_pct": 5 + i % 40,
            "age": 40 + i % 30,
        }
        for i in range(n)
    ]


def test_splits_are_by_patient_stratified_and_external_by_name(tmp_path: Path) -> None:
    rows = make_rows()
    patients = read_manifest(write(tmp_path, rows + rows), RULE).patients
    assert len(patients) == 120
    assert set(patients.loc[patients["centre"] == "D", "split"]) == {"external"}
    counts = patients.loc[patients["centre"] != "D", "split"].value_counts()
    assert counts.to_dict() == {"train": 52, "validation": 19, "test": 19}
    high = patients.groupby("split")["ki67_pct"].agg(lambda v: (v.astype(float) >= 20).mean())
    assert high[["train", "validation", "test"]].max() - high[["train", "validation", "test"]].min() < 0.12


def test_the_same_seed_gives_the_same_split(tmp_path: Path) -> None:
    path = write(tmp_path, make_rows())
    first, second = (read_manifest(path, RULE).patients["split"] for _ in range(2))
    other = read_manifest(path, SplitRule(("D",), Cutoff(), 2)).patients["split"]
    assert first.equals(second)
    assert not first.equals(other)


def test_the_order_of_rows_changes_nothing_where_files_have_one_name(tmp_path: Path) -> None:
    """Scanners name the first image of every study alike, and a row may stand twice with other values."""
    for study in ("first", "second"):
        (tmp_path / study).mkdir()
        (tmp_path / study / "IM0001.png").write_bytes(b"")
    rows = [
        {"patient_id": "P1", "centre": "A", "image": image, "ki67_pct": 30, "split": "train", "size_mm": size}
        for image, size in (("first/IM0001.png", 18), ("second/IM0001.png", 25), ("second/IM0001.png", 31))
    ]
    rule = replace(RULE, external=())
    read = [read_manifest(write(tmp_path, order), rule) for order in itertools.permutations(rows)]
    assert len({tuple(one.images["path"]) for one in read}) == 1
    assert {one.patients.loc["P1", "size_mm"] for one in read} == {18.0}


def test_a_patient_on_two_sides_stops_it(tmp_path: Path) -> None:
    rows = make_rows(8)
    both = [{**rows[0], "split": "train"}, {**rows[0], "split": "test"}, *({**r, "split": "train"} for r in rows[1:])]
    with pytest.raises(TableError, match=r"1 patient\(s\) stand on two sides") as caught:
        read_manifest(write(tmp_path, both), RULE)
    assert [number for number, _ in caught.value.rows] == [2, 3]


def test_bad_rows_are_named_and_the_others_kept(tmp_path: Path) -> None:
    rows = make_rows(12)
    rows[0]["age"] = 430
    rows[1]["image"] = "lost.png"
    rows[2]["ki67_pct"] = None
    rows[3]["box"] = "5,5,1,1"
    rows[4]["split"] = None
    manifest = read_manifest(write(tmp_path, rows), RULE)
    assert [number for number, _ in manifest.refused] == [3, 4, 5]
    assert "image file is not there" in manifest.refused[0][1]
    assert manifest.reading.describe() == ["age: outside 18 to 100 years in 1 row, left out."]
    assert len(manifest.patients) == 9


def test_rows_of_a_patient_that_disagree_are_refused(tmp_path: Path) -> None:
    rows = make_rows(6)
    manifest = read_manifest(write(tmp_path, [*rows, {**rows[0], "ki67_pct": 99}]), RULE)
    assert [number for number, _ in manifest.refused] == [2, 8]
    assert "P000" not in manifest.patients.index


def test_missing_columns_are_named(tmp_path: Path) -> None:
    with pytest.raises(TableError, match="no column ki67_pct"):
        read_manifest(write(tmp_path, [{"patient_id": 1, "centre": "A", "image": "a.png"}]), RULE)


def test_a_column_that_may_be_meant_is_named_with_the_missing_one(tmp_path: Path) -> None:
    rows = [{"Id of patient": row.pop("patient_id"), **row} for row in make_rows(3)]
    with pytest.raises(TableError, match=r"no column patient_id \('Id of patient' may be patient_id\); it needs"):
        read_manifest(write(tmp_path, rows), RULE)


@pytest.mark.parametrize(
    ("patient", "box"),
    [("ID del paciente", "Caja"), ("ID patiente", "Boîte"), ("N° patient", "Boîte englobante"), ("患者ID", "病灶框")],
)
def test_names_of_other_languages_are_known(tmp_path: Path, patient: str, box: str) -> None:
    rows = [{patient: row.pop("patient_id"), box: "1,2,30,40", "BI-RADS分级": "4A", **row} for row in make_rows(3)]
    manifest = read_manifest(write(tmp_path, rows), SplitRule((), Cutoff(), 1))
    assert [manifest.images["box"][0], manifest.patients["birads"].iloc[0]] == [(1, 2, 30, 40), "4A"]


def test_an_unknown_external_centre_is_named(tmp_path: Path) -> None:
    with pytest.raises(TableError, match="external centre Z; the centres are A, B, C, D"):
        read_manifest(write(tmp_path, make_rows()), SplitRule(("Z",), Cutoff(), 1))


def test_a_semicolon_file_from_excel_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"")
    path = tmp_path / "m.csv"
    path.write_text(
        "\ufeffpatient_id;centre;image;ki67_pct;size_mm;box\n1;A;a.png;12,5;21,5;1,2,30,40\n", encoding="utf-8"
    )
    manifest = read_manifest(path, SplitRule((), Cutoff(), 1))
    assert manifest.patients.loc["1", "size_mm"] == 21.5
    assert manifest.images.loc[0, "box"] == (1.0, 2.0, 30.0, 40.0)


def test_workbooks_and_semicolons_are_read_like_plain_csv(tmp_path: Path) -> None:
    table = pd.DataFrame(make_rows())
    plain = read_manifest(write(tmp_path, make_rows()), RULE)
    table.to_excel(tmp_path / "manifest.xlsx", index=False)
    table.to_csv(tmp_path / "german.csv", index=False, sep=";", encoding="latin-1")
    for name in ("manifest.xlsx", "german.csv"):
        assert read_manifest(tmp_path / name, RULE).patients.equals(plain.patients)


def test_a_failure_names_the_refused_rows_too(tmp_path: Path) -> None:
    rows = [row | {"image": "lost.png" if row["centre"] == "D" else "a.png"} for row in make_rows(8)]
    with pytest.raises(TableError, match="No patient comes from external centre D") as failure:
        read_manifest(write(tmp_path, rows), RULE)
    assert [number for number, _ in failure.value.rows] == [5, 9]


def test_what_a_patient_has_only_one_of_must_not_differ(tmp_path: Path) -> None:
    rows = make_rows(3)
    twice = [{**rows[0], "age": 50, "size_mm": 11}, {**rows[0], "age": 62, "size_mm": 24}]
    same = [{**rows[1], "size_mm": 9}, {**rows[1], "size_mm": 12}]
    manifest = read_manifest(write(tmp_path, [*twice, *same, rows[2]]), SplitRule((), Cutoff(), 1))
    assert [row for row, _ in manifest.refused] == [2, 3]
    assert manifest.refused[0][1] == "The patient's rows contradict each other: Age 50 and 62."
    assert "size_mm differs between the images of 1 patients; the first that is known counts." in manifest.notes
    assert manifest.patients.loc["P001", "size_mm"] == 9


def read_case(tmp_path: Path, name: str):
    (tmp_path / "s_full.dcm").write_bytes(b"")
    path = tmp_path / name
    path.write_bytes((CASES / name).read_bytes())
    rows, reading = read_rows(path)
    assert reading.rows == len(rows) + len(reading.refused)
    return rows, reading


def test_a_patient_of_contradicting_rows_is_refused_by_name(tmp_path: Path) -> None:
    rows, reading = read_case(tmp_path, "m6.csv")
    assert [row["patient_id"] for row in rows] == ["B"]
    assert [row for row, _ in reading.refused] == [2, 3]
    assert (
        "Ki-67 on surgical specimen 12 and 35; Recurrence (yes or no) 0 and 1; Age 50 and 62" in reading.refused[0][1]
    )


def test_ids_of_a_workbook_are_those_of_the_sheet(tmp_path: Path) -> None:
    rows, reading = read_case(tmp_path, "m3.xlsx")
    assert [row["patient_id"] for row in rows][:2] == ["00001", "00002"]
    assert all("a date" in reason for _, reason in reading.refused)


def test_one_reader_for_manifests_and_prediction_tables(tmp_path: Path) -> None:
    rows = [
        {"CaseID": f"P{i}", "Image_filename": "a.png", "lnm": "unknown" if i else "yes", "Set": "Training"}
        | {"Alter": 40 + i, "Größe (cm)": 1.5, "Ki-67": "20-30", "BI-RADS": 2, "Menopausenstatus": "postmenopausal"}
        for i in range(6)
    ]
    read, reading = read_rows(write(tmp_path, rows))
    assert read[0] | {"row": 0, "path": 0} == {
        "row": 0, "path": 0, "patient_id": "P0", "centre": "", "box": None, "split": "train", "lnm": 1.0, "age": 40.0,
        "size_mm": 15.0, "ki67_pct": 25.0, "ki67_range": "20 to 30", "menopausal": "post",
        "rfs_months": None, "rfs_event": None,
    }  # fmt: skip
    assert read[1]["lnm"] is None
    assert any("BI-RADS: not read." in line for line in reading.describe())


@pytest.mark.parametrize("box", ["0,0,inf,inf", "nan,1,2,3", "-inf,0,5,5", "1e400,1,2,3"])
def test_a_box_without_an_end_is_refused_before_anything_is_computed(box: str) -> None:
    with pytest.raises(TableError, match="is not x0,y0,x1,y1 in pixels"):
        parse_box(box)


@pytest.mark.parametrize("empty", [2, 5, 12])
def test_boxes_of_edge_and_size_are_refused_as_a_column(tmp_path: Path, empty: int) -> None:
    rows = make_rows(12)
    for i, row in enumerate(rows):
        row["box"] = "40,40,20,20" if i < empty else "10,10,40,40"
    with pytest.raises(TableError, match=f"{empty} of 12 boxes end before they begin: they may be x, y, width"):
        read_rows(write(tmp_path, rows))
    read, _ = read_rows(write(tmp_path, rows), Choices(ignored=("box",)))
    assert [row["box"] for row in read] == [None] * 12

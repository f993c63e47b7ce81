"""Boxes kept in a manifest: each reader's apart, saved at once, nothing of the file lost."""

import multiprocessing
import os
from pathlib import Path

import pandas as pd
import pytest

from core.cohort import boxes as module
from core.cohort.boxes import check_reader, list_manifests, read_boxes, render_boxes, save_box
from core.cohort.manifest import read_rows
from core.errors import TableError, UsageError, WorkError
from core.imaging import Roi

BOX, OTHER = Roi(1, 2, 30, 40), Roi(5, 5, 25, 25)


def write_manifest(folder: Path, text: str, name: str = "manifest.csv") -> Path:
    folder.mkdir(exist_ok=True)
    for image in ("a.png", "b.png", "c.png"):
        (folder / image).write_bytes(b"x")
    (folder / name).write_text(text, encoding="utf-8")
    return folder / name


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return write_manifest(
        tmp_path, 'Patienten-ID;Bild;Größe;Notiz\nP1;a.png;"2,4";\'=x\nP1;b.png;;\nP2;c.png;3;"a;b"\n'
    )


def test_a_box_is_in_the_file_when_the_call_returns_and_all_else_still_is(path):
    before = pd.read_csv(path, sep=";", dtype=str, keep_default_na=False)
    save_box(read_boxes(path), 1, "AB", BOX)
    after = pd.read_csv(path, dtype=str, keep_default_na=False)
    pd.testing.assert_frame_equal(after[list(before)], before)
    assert after["box_AB"].tolist() == after["box"].tolist() == ["", "1,2,30,40", ""]
    assert [row["box"] for row in read_rows(path)[0]] == [None, (1, 2, 30, 40), None]
    assert path.with_name("manifest.csv.before_boxes").read_text(encoding="utf-8").startswith("Patienten-ID;")


@pytest.mark.skipif(os.name != "posix", reason="modes of files")
def test_a_manifest_of_its_owner_alone_stays_so(path):
    path.chmod(0o600)
    save_box(read_boxes(path), 1, "AB", BOX)
    assert {one.stat().st_mode & 0o077 for one in (path, path.with_name("manifest.csv.before_boxes"))} == {0}


def test_a_formula_of_a_strangers_manifest_does_not_leave_as_one(tmp_path):
    """Also before the first box is saved, when the file is still the stranger's own."""
    path = write_manifest(tmp_path, "patient_id,image,@SUM(1)\n=cmd|'/c calc'!A0,a.png,+1+1\n")
    assert render_boxes(read_boxes(path)) == b"patient_id,image,'@SUM(1)\n'=cmd|'/c calc'!A0,a.png,'+1+1\n"
    saved = save_box(read_boxes(path), 0, "AB", None)
    assert render_boxes(saved).splitlines()[1] == b"'=cmd|'/c calc'!A0,a.png,'+1+1,skipped,"


def test_readers_are_kept_apart_and_training_takes_the_first(path):
    manifest = save_box(read_boxes(path), 0, "AB", BOX)
    manifest = save_box(manifest, 0, "CD", OTHER)
    manifest = save_box(manifest, 1, "CD", OTHER)
    manifest = save_box(manifest, 2, "AB", None)
    assert manifest == read_boxes(path)
    assert manifest.readers == ("AB", "CD")
    assert manifest.rows[0].boxes == {"AB": BOX, "CD": OTHER}
    assert [row["box"] for row in read_rows(path)[0]] == [(1, 2, 30, 40), (5, 5, 25, 25), None]
    assert (manifest.list_open("AB"), manifest.list_open("CD"), manifest.list_open("E")) == ([1], [2], [0, 1, 2])
    assert (manifest.count("AB"), manifest.count("CD")) == ((2, 1), (2, 0))


def test_a_box_that_was_there_before_counts_last_and_is_kept(tmp_path):
    path = write_manifest(tmp_path, 'patient_id,image,box\nP1,a.png,"5,5,25,25"\nP1,b.png,"5,5,25,25"\n')
    assert read_boxes(path).readers == ("given",)
    manifest = save_box(read_boxes(path), 0, "AB", BOX)
    assert manifest.readers == ("AB", "given")
    assert manifest.rows[0].boxes == {"AB": BOX, "given": OTHER}
    assert [row["box"] for row in read_rows(path)[0]] == [(1, 2, 30, 40), (5, 5, 25, 25)]


def test_a_skip_takes_a_box_back(path):
    manifest = save_box(save_box(read_boxes(path), 0, "AB", BOX), 0, "AB", None)
    assert manifest.rows[0].boxes == {"AB": None}
    assert read_rows(path)[0][0]["box"] is None


def test_what_another_session_saved_meanwhile_stays(path):
    first, second = read_boxes(path), read_boxes(path)
    save_box(first, 0, "AB", BOX)
    assert save_box(second, 1, "AB", OTHER).rows[0].boxes == {"AB": BOX}


def test_a_file_that_was_changed_elsewhere_takes_no_box(path):
    manifest = read_boxes(path)
    path.write_text("patient_id,image\nP9,c.png\n", encoding="utf-8")
    with pytest.raises(TableError, match="changed elsewhere"):
        save_box(manifest, 0, "AB", BOX)
    assert path.read_text(encoding="utf-8") == "patient_id,image\nP9,c.png\n"


def test_a_full_disk_leaves_the_manifest_as_it_was(path, monkeypatch):
    manifest, before = read_boxes(path), path.read_bytes()

    def fail(_descriptor: int) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(module.os, "fsync", fail)
    with pytest.raises(WorkError, match="No space left on device"):
        save_box(manifest, 0, "AB", BOX)
    assert path.read_bytes() == before


def save_all(path: Path, reader: str) -> None:
    manifest = read_boxes(path)
    for place in range(len(manifest.rows)):
        manifest = save_box(manifest, place, reader, BOX)


def test_two_processes_lose_nothing_of_each_other(path):
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        pool.starmap(save_all, [(path, "AB"), (path, "CD")])
    assert [set(row.boxes) for row in read_boxes(path).rows] == [{"AB", "CD"}] * 3


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("patient_id,age\nP1,5\n", "one column each"),
        ("patient_id,image,x\nP1,a.png\nP1,b.png,5\n", "1 rows of the manifest do not fit"),
        ("patient_id,image,\nP1,a.png,5\n", "under no name"),
        ("patient_id,image,x,x\nP1,a.png,5,6\n", "two columns 'x'"),
    ],
)
def test_a_table_that_could_not_be_written_again_whole_is_refused(tmp_path, text, message):
    with pytest.raises(TableError, match=message):
        read_boxes(write_manifest(tmp_path, text))
    with pytest.raises(TableError, match="CSV"):
        read_boxes(tmp_path / "manifest.xlsx")


def test_only_manifests_of_the_folder_are_listed(tmp_path):
    folder, outside = tmp_path / "cohorts", tmp_path / "outside"
    path = write_manifest(folder, "patient_id,image\nP1,a.png\n")
    deep = write_manifest(folder / "graz", "Patient;Datei\nP1;a.png\n")
    write_manifest(folder, "row,file,reason\n", "refused.csv")
    secret = write_manifest(outside, "patient_id,image\nP1,a.png\n")
    (folder / "link.csv").symlink_to(secret)
    assert list_manifests(folder) == [deep, path]


def test_an_image_outside_the_folder_is_not_opened(tmp_path):
    (tmp_path / "secret.png").write_bytes(b"x")
    manifest = read_boxes(write_manifest(tmp_path / "in", "patient_id,image\nP1,../secret.png\nP1,a.png\n"))
    with pytest.raises(TableError, match="not there"):
        manifest.find_image(0)
    assert manifest.find_image(1).name == "a.png"


def test_a_reader_has_a_name_that_a_column_can_have():
    assert check_reader(" Dr. Anna-Lena, MD ") == "Dr_Anna_Lena_MD"
    for name in ("", " ,;", "given"):
        with pytest.raises(UsageError, match="initials"):
            check_reader(name)

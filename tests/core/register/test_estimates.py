"""Readings of the board: read ahead, read once, and a sentence where there is no image."""

import time
from threading import Event

import pytest

from core.errors import ImageError, WorkError
from core.register.estimates import FAULT, BoardReader
from core.register.models import Entry, Record
from core.register.pairs import has_decided, list_seen, pair_readings


def wait_until(is_done) -> None:
    deadline = time.monotonic() + 20
    while not is_done():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_patients_are_read_ahead_once_each():
    loaded = []

    def load(patient: str) -> str:
        loaded.append(patient)
        return patient

    reader = BoardReader(load, lambda case, lane: (case, f"{case} {lane}"))
    reader.read_ahead(["a", "b", "c"])
    wait_until(lambda: not reader.left)
    assert [reader.read(name).prediction for name in "abc"] == ["a bulk", "b bulk", "c bulk"]
    assert loaded == ["a", "b", "c"]


def test_who_is_waited_for_goes_before_those_to_come():
    go = Event()

    def predict(case: str, lane: str) -> tuple[str, str]:
        if lane == "bulk":
            go.wait(20)
        return case, lane

    reader = BoardReader(lambda patient: patient, predict)
    reader.read_ahead(["a", "b"])
    assert reader.read("z").prediction == "case"
    assert reader.peek("a") is None
    go.set()
    wait_until(lambda: not reader.left)
    assert reader.peek("b").prediction == "bulk"


@pytest.mark.parametrize(
    ("error", "sentence", "tries"),
    [
        (ImageError("There is no image."), "There is no image.", 1),
        (WorkError("Too many wait."), "Too many wait.", 2),
        (KeyError("Anna"), FAULT, 2),
    ],
)
def test_what_fails_gets_a_sentence_and_only_a_passing_fault_is_tried_again(error, sentence, tries):
    calls = []

    def load(patient: str) -> str:
        calls.append(patient)
        raise error

    reader = BoardReader(load, lambda case, lane: (case, case))
    assert [reader.read("a").missing for _ in range(2)] == [sentence, sentence]
    assert len(calls) == tries


def record(patient: str, author: str, kind: str, group: str, cohort: str = "c") -> Record:
    return Record(patient, author, kind, probability=0.5, group=group, cohort_sha256=cohort)


def test_first_readings_are_paired_with_what_was_shown_then():
    records = [
        record("p1", "AB", "reading", "high"),
        record("p1", "AB", "estimate", "low"),
        record("p1", "AB", "reading", "low"),
        record("p1", "CD", "reading", "low"),
        record("p2", "AB", "reading", "low", cohort="other"),
        record("p2", "AB", "estimate", "low", cohort="other"),
        record("p3", "CD", "reading", "low"),
        record("p3", "CD", "estimate", "low"),
    ]
    pairs = pair_readings(records, "c", {"p1": True})
    assert pairs.astype(object).where(pairs.notna(), None).to_numpy().tolist() == [
        ["p1", "AB", True, False, True],
        ["p3", "CD", False, False, None],
    ]


def test_a_reading_is_blind_only_if_nothing_was_shown_to_that_reader_before():
    records = [
        record("p1", "AB", "shown", ""),
        record("p1", "AB", "reading", "high"),
        record("p1", "AB", "estimate", "low"),
        record("p1", "CD", "reading", "low"),
        record("p1", "CD", "estimate", "low"),
        record("p2", "AB", "estimate", "low"),
        record("p2", "AB", "reading", "low"),
        record("p2", "AB", "estimate", "low"),
        record("p3", "AB", "reading", "low"),
        record("p3", "AB", "shown", ""),
        record("p3", "AB", "reading", "high"),
        record("p3", "AB", "estimate", "high"),
    ]
    pairs = pair_readings(records, "c", {})
    found = {(row.patient, row.author): row.reader for row in pairs.itertuples()}
    assert found == {("p1", "CD"): False, ("p3", "AB"): False}
    assert list_seen(records, "AB") == {"p1", "p2", "p3"}
    assert list_seen(records, "CD") == {"p1"}


def test_a_note_decides_only_where_there_was_no_call():
    assert not has_decided([record("p1", "AB", "note", "high")], "AB")
    assert has_decided([record("p1", "AB", "note", "")], "AB")
    assert has_decided([record("p1", "AB", "decision", "high")], "AB")
    assert not has_decided([record("p1", "AB", "decision", "high")], "CD")


def test_an_estimate_is_an_entry():
    assert Entry("p", "AB", "estimate", probability=0.2, group="low").text == ""


def by(subject: str, kind: str, group: str = "") -> Record:
    return Record("p1", "Dr Kim", kind, probability=0.5, group=group, cohort_sha256="c", author_key=subject)


def test_two_people_of_one_name_are_told_apart_by_their_login():
    records = [
        by("sub-1", "shown"),
        by("sub-1", "reading", "high"),
        by("sub-2", "reading", "low"),
        by("sub-2", "estimate", "low"),
    ]
    assert list_seen(records, "Dr Kim", "sub-1") == list_seen(records, "Dr Kim", "sub-2") == {"p1"}
    assert list_seen(records[:3], "Dr Kim", "sub-2") == set()
    assert pair_readings(records, "c", {})["author"].tolist() == ["Dr Kim"]
    both = [by(subject, kind, "low") for subject in ("sub-1", "sub-2") for kind in ("reading", "estimate")]
    assert pair_readings(both, "c", {})["author"].tolist() == ["Dr Kim", "Dr Kim (2)"]
    assert not has_decided([by("sub-1", "decision")], "Dr Kim", "sub-2")


def test_entries_from_before_logins_were_kept_count_for_the_name():
    records = [record("p1", "Dr Kim", "shown", ""), by("sub-1", "reading", "high"), by("sub-1", "estimate", "high")]
    assert list_seen(records[:1], "Dr Kim", "sub-1") == {"p1"}
    assert pair_readings(records, "c", {}).empty
    assert not by("sub-1", "shown").is_by("Dr Kim")

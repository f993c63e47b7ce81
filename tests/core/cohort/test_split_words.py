"""Parts of the data in other words, and under a head that is not known."""

import pytest

from core.cohort import Choices, read_predictions


def make(head: str, *parts: str) -> bytes:
    rows = [f"P{i};{part};{i % 2};0.{i + 1}" for i, part in enumerate(parts)]
    return "\n".join([f"id;{head};y;prob", *rows]).encode()


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        (("Trainingsdatensatz", "Validierungsdatensatz", "Externer Test"), ["train", "validation", "external"]),
        (("Entwicklungsdatensatz", "Interner Test", "Externe Validierung"), ["train", "test", "external"]),
        (("entraînement", "validation", "validation externe"), ["train", "validation", "external"]),
    ],
)
def test_parts_are_read_in_german_and_french(words, parts):
    assert read_predictions(make("split", *words)).table["split"].tolist() == parts


def test_a_column_that_holds_parts_is_asked_about_whatever_its_head():
    content = make("Datensatz", "Training", "Validierung", "extern")
    assert ("Datensatz", "split") in read_predictions(content).reading.unread
    mapped = read_predictions(content, choices=Choices(columns={"split": "Datensatz"})).table
    assert mapped["split"].tolist() == ["train", "validation", "external"]
    ignored = read_predictions(content, choices=Choices(ignored=("Datensatz",)))
    assert ("Datensatz", "") in ignored.reading.unread


@pytest.mark.parametrize("cells", [("1", "2", "3"), ("test", "test", "test"), ("Training", "Nord", "extern")])
def test_other_columns_are_not_taken_for_parts(cells):
    assert ("Datensatz", "") in read_predictions(make("Datensatz", *cells)).reading.unread

"""No sentence of a page names an option of the command line."""

import re

import numpy as np
import pytest

from core.cohort import read_predictions
from core.errors import TableError
from core.ui.cohort.hints import point_below, point_to_file
from tests.core.cohort.test_cases import add_column, write_base

OPTION = re.compile(r"--\w")


def list_sentences(content):
    try:
        read = read_predictions(content)
    except TableError as error:
        return [str(error), *(reason for _, reason in error.rows)]
    return [*read.notes, *read.reading.describe(), *(reason for _, reason in read.refused)]


@pytest.mark.parametrize(
    ("content", "below", "in_file"),
    [
        (
            write_base(y=lambda t: t["y"].map({"1": "2", "0": "1"})),
            "Say what they mean below.",
            'in the head of its column, as "y (1 = no, 2 = yes)".',
        ),
        (
            write_base(y=lambda t: t["y"].map({"1": "1", "0": ""})),
            "Say what they mean below.",
            'as "y (empty = no)".',
        ),
        (
            write_base(split=lambda t: t["split"].replace("test", "fold 2")),
            "Say which below.",
            'as "split (fold 2 = PART)".',
        ),
        (
            add_column("her2", lambda t: np.where(t.index % 2, "positive", "negative")),
            "Say what they mean below.",
            'as "her2 (negative = LEVEL, positive = LEVEL)".',
        ),
        (
            add_column("rfs_days", lambda t: t["rfs_months"]),
            "Say which below.",
            "Say which in the head of its column, or convert it.",
        ),
        (
            write_base(patient_id=lambda t: t["patient_id"].where(t.index != 5, "k001")),
            "or say that they differ below.",
            "Write them alike.",
        ),
        (
            write_base(centre=lambda t: t["centre"].replace("North", "Süd")).decode().encode("cp1252"),
            "name its encoding below.",
            "Save it as UTF-8.",
        ),
    ],
    ids=["codes", "empty cells", "parts", "levels", "unit", "pseudonyms", "encoding"],
)
def test_an_option_becomes_what_can_be_done_there(content, below, in_file):
    sentences = list_sentences(content)
    assert any(map(OPTION.search, sentences))
    for point, said in ((point_below, below), (point_to_file, in_file)):
        pointed = [point(sentence) for sentence in sentences]
        assert not any(map(OPTION.search, pointed))
        assert any(said in sentence for sentence in pointed), pointed


def test_the_head_that_a_page_asks_for_settles_it():
    content = write_base(y=lambda t: t["y"].map({"1": "2", "0": "1"}), ki67_pct=None).decode()
    settled = content.replace("centre,y,", 'centre,"y (1 = no, 2 = yes)",', 1).encode()
    assert read_predictions(settled).table["y"].sum() == 36

"""Heads of columns that no clinic writes cost no more than others."""

from time import process_time

import pytest

from core.clinical import read_title
from core.cohort import Choices
from core.cohort.columns import match_columns

ORDINARY, LONG = "Follow-up [days]", 95_000


@pytest.mark.parametrize("piece", ["(", "[(", "a=", "= ", "a ", "a : "])
def test_a_long_head_is_not_taken_apart(piece: str) -> None:
    begun = process_time()
    title = read_title(piece * (LONG // len(piece)))
    assert process_time() - begun < 5  # it was more than a minute
    assert (title.unit, title.coding) == ("", {})


@pytest.mark.parametrize(
    ("head", "name"),
    [
        ("Tastbefund", "palpable"),
        ("Axilla auffällig", "aln_suspicious"),
        ("Ganglion axillaire suspect", "aln_suspicious"),
        ("Identifiant patient", "patient_id"),
        ("Fichier image", "image"),
        ("病灶框", "box"),
        ("N° patiente", "patient_id"),
        ("Nº historia", "patient_id"),
        ("axillärer LK suspekt", "aln_suspicious"),
        ("Lymphknoten auffällig", "aln_suspicious"),
        ("Ganglio sospechoso", "aln_suspicious"),
    ],
)
def test_a_clinics_own_head_is_understood(head: str, name: str) -> None:
    assert match_columns([head], [name], Choices()).positions == {name: 0}


def test_an_ordinary_head_still_is() -> None:
    title = read_title(ORDINARY)
    assert (title.name, title.unit) == ("follow_up", "days")

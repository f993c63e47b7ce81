"""Heads of columns that no clinic writes cost no more than others."""

from time import process_time

import pytest

from core.clinical import read_title

ORDINARY, LONG = "Follow-up [days]", 95_000


@pytest.mark.parametrize("piece", ["(", "[(", "a=", "= ", "a ", "a : "])
def test_a_long_head_is_not_taken_apart(piece: str) -> None:
    begun = process_time()
    title = read_title(piece * (LONG // len(piece)))
    assert process_time() - begun < 5  # it was more than a minute
    assert (title.unit, title.coding) == ("", {})


def test_an_ordinary_head_still_is() -> None:
    title = read_title(ORDINARY)
    assert (title.name, title.unit) == ("follow_up", "days")

"""One patient under one pseudonym, however a file writes it."""

import unicodedata

import pandas as pd
import pytest

from core.errors import InputError
from core.register.listing import Filter, count_estimates
from core.register.outcome_import import judge_rows
from core.register.withdrawal import REASONS, withdraw
from tests.core.register.register_entries import AB, add_estimates

KNOWN = "Ö-12"


@pytest.mark.parametrize("written", [unicodedata.normalize("NFD", KNOWN), "\u200bÖ-12 ", "Ö-12\u00ad"])
def test_forms_of_unicode_and_unseen_signs_make_no_other_patient(store, written):
    add_estimates(store, [KNOWN, "P-2"])
    (row,) = judge_rows(store, [(2, written, {"ki67_pct": 30.0})])
    assert (row.status, row.patient) == ("new", KNOWN)
    assert count_estimates(store, Filter(search=written)) == 1


def test_a_pseudonym_that_is_written_almost_so_is_pointed_to_and_not_taken(store):
    add_estimates(store, ["007", "Пац-77", "患者-001"])
    names = ["7", "пац–77", "患者 －1", "8", ""]
    rows = judge_rows(store, [(i, name, {"ki67_pct": 30.0}) for i, name in enumerate(names, start=2)])
    assert {row.status for row in rows} == {"unmatched"}
    for row, name in zip(rows, ("007", "Пац-77", "患者-001"), strict=False):
        assert f"but one of {name}, which differs only in case" in row.reason
    assert [row.reason for row in rows[3:]] == ["", ""]


@pytest.mark.parametrize("number", [0, -1, 2, 10**20])
def test_a_number_that_no_entry_has_is_no_estimate(store, number):
    add_estimates(store, ["P-1"])
    with pytest.raises(InputError, match=f"Entry {number} is not an estimate"):
        withdraw(store, number, AB, reason=REASONS[0])


def test_a_row_of_an_older_chain_is_matched_as_it_is_written(store):
    old = unicodedata.normalize("NFD", KNOWN)
    add_estimates(store, [old])
    rows = judge_rows(store, [(2, old, {"ki67_pct": 30.0})])
    assert [(row.status, row.patient) for row in rows] == [("new", old)]
    assert pd.Series([row.reason for row in rows]).eq("").all()

"""An outcome that was taken back is not known any more, in lists, filters and sums; texts hold no null byte."""

from dataclasses import replace

import pytest

from core.errors import InputError
from core.register.listing import Filter, count_estimates, list_estimates, read_overview, sum_estimates
from core.register.outcome_entry import find_first_exams, make_entry, read_kept
from core.register.store import Store
from tests.core.register.register_entries import AB, ESTIMATE, add_estimates, enter


def count(store: Store) -> tuple[int, int, int, int, list[bool]]:
    """Count the known outcomes in each way that a page does."""
    listed = [bool(known) for known in list_estimates(store, Filter())["has_outcome"]]
    known, unknown = (count_estimates(store, Filter(has_outcome=is_known)) for is_known in (True, False))
    return read_overview(store).known, int(sum_estimates(store)["with_outcome"].sum()), known, unknown, listed


def test_an_outcome_that_was_taken_back_counts_nowhere_until_it_is_entered_anew(store):
    add_estimates(store, ["P-1", "P-2"])
    for patient in ("P-1", "P-2"):
        enter(store, patient, ki67_pct=30.0)
    assert count(store) == (2, 2, 2, 0, [True, True])
    kept = read_kept(store, ["P-2"])["P-2", "outcome"]
    store.append(make_entry("P-2", "outcome", {}, kept, AB, reason="another patient's"))
    assert count(store) == (1, 1, 1, 1, [False, True])
    kept = read_kept(store, ["P-2"])["P-2", "outcome"]
    store.append(make_entry("P-2", "outcome", {"ki67_pct": 12.0}, kept, AB))
    assert count(store) == (2, 2, 2, 0, [True, True])
    assert store.verify_chain().holds


@pytest.mark.parametrize("field", ["patient", "centre", "bundle"])
def test_a_null_byte_is_refused_in_a_sentence_and_looked_for_nowhere(store, field):
    with pytest.raises(InputError, match="holds a null byte"):
        replace(ESTIMATE, **{field: "A\0B"}).to_entry("AB")
    add_estimates(store, ["P-1"])
    assert find_first_exams(store, ["A\0B", "P-1"]) == {"P-1": ESTIMATE.exam_date}
    assert read_kept(store, ["A\0B"]) == {}

"""What is read for the register is checked: nothing that was changed is shown, built on or given as a table."""

import pytest

from core.errors import WorkError
from core.register.listing import Filter, list_estimates
from core.register.models import REGISTER, WITHHELD
from core.register.outcome_entry import make_entry, read_kept
from core.register.outcome_import import judge_rows
from core.register.patients import tabulate_register
from core.register.store import Store
from tests.core.register.register_entries import AB, add_estimates, enter
from tests.core.register.test_tampering import run

LOW = """details = '{"ki67_pct"\\:2.0}'"""


@pytest.fixture
def filled(store: Store, url: str) -> str:
    add_estimates(store, ["P-1", "P-2"])
    enter(store, "P-1", ki67_pct=35, pn="N0")
    enter(store, "P-2", ki67_pct=10)
    return url


def test_a_changed_estimate_is_withheld_in_the_list(store, filled):
    run(filled, "UPDATE entries SET probability = 0.99 WHERE number = 1")
    table = list_estimates(store, Filter()).set_index("patient")
    assert table["withheld"].to_dict() == {
        "P-2": "",
        "P-1": "Withheld: entry 1 was changed. Tell the database administrator.",
    }
    assert table["probability"].notna().to_dict() == {"P-2": True, "P-1": False}
    assert [record.kind for record in store.read("P-1", kinds=REGISTER)] == [WITHHELD, "outcome"]


@pytest.mark.parametrize("change", [LOW, "details = 'no JSON'", "corrects = 1", "author = 'XY'", "seal = ''"])
def test_nothing_is_built_on_a_changed_outcome(store, filled, change):
    run(filled, f"UPDATE entries SET {change} WHERE number = 3")
    kept = read_kept(store)
    assert (kept["P-1", "outcome"].values, kept["P-2", "outcome"].values) == ({}, {"ki67_pct": 10.0})
    assert "Withheld: entry 3" in kept["P-1", "outcome"].fault
    with pytest.raises(WorkError, match="Withheld: entry 3"):
        make_entry("P-1", "outcome", {"ki67_pct": 2.0, "pt": "T2"}, kept["P-1", "outcome"], AB, reason="More is known.")
    rows = judge_rows(store, [(2, "P-1", {"ki67_pct": 2.0}), (3, "P-2", {"ki67_pct": 10.0})])
    assert [row.status for row in rows] == ["not used", "matched"]
    assert list_estimates(store, Filter())["has_outcome"].tolist() == [True, False]


@pytest.mark.parametrize(
    "statement",
    [
        f"UPDATE entries SET {LOW} WHERE number = 3",
        "UPDATE entries SET probability = 0.99 WHERE number = 1",
        "UPDATE entries SET kind = 'note' WHERE number = 3",
        "UPDATE entries SET patient = 'P-9' WHERE number = 2",
        "DELETE FROM entries WHERE number = 3",
        "DELETE FROM entries WHERE number = 4",
    ],
)
def test_no_table_is_made_of_a_chain_that_does_not_hold(store, filled, statement):
    assert len(tabulate_register(store)) == 2
    run(filled, statement)
    with pytest.raises(WorkError, match="the record does not hold"):
        tabulate_register(store)

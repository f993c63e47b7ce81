"""Which bundle answers: entries of the chain, by whom and why, and nobody decides beside somebody else."""

import pytest

from core.errors import InputError, WorkError
from core.register.bundles.use import (
    OF_SETTING,
    Chosen,
    describe_entry,
    put_into_use,
    read_last_use,
    read_use,
    take_back,
)
from core.register.models import BUNDLE_USE, SAID, Entry
from core.register.outcome_entry import Author
from core.register.store import Store
from tests.core.register.databases import tamper
from tests.core.register.register_entries import add_estimates

ADMIN = Author("Dr Kim", "sub-1", "admin")
OLD, NEW, THIRD = (Chosen(letter * 64, name) for letter, name in (("a", "demo"), ("b", "ours"), ("c", "third")))


def put(store: Store, bundle: Chosen, before: Chosen, note: str) -> None:
    put_into_use(store, read_use(store), bundle, before=before, author=ADMIN, note=note)


def test_without_an_entry_the_settings_bundle_answers(store):
    assert read_use(store).current == OF_SETTING
    assert read_last_use(store) == 0


def test_bundles_are_put_into_use_and_taken_back_in_turn(store):
    add_estimates(store, ["P-001"])
    put(store, NEW, OLD, "Fits us better.")
    put(store, THIRD, NEW, "Refit.")
    assert (read_use(store).current, read_use(store).before) == (THIRD, NEW)
    take_back(store, read_use(store), author=ADMIN, note="Worse on the last month.")
    assert (read_use(store).current, read_use(store).before) == (NEW, OLD)
    record = take_back(store, read_use(store), author=ADMIN, note="Back to the start.")
    use = read_use(store)
    assert use.current == OF_SETTING
    assert (record.bundle_sha256, record.author, record.author_key, record.text) == (
        OLD.sha256,
        "Dr Kim",
        "sub-1",
        "Back to the start.",
    )
    assert use.last == read_last_use(store) == record.number == 5
    assert "Dr Kim: demo (aaaaaaaaaaaa) answers again in place of ours (bbbbbbbbbbbb)" in describe_entry(record)
    assert store.verify_chain().holds


def test_the_board_sees_nothing_of_it(store):
    put(store, NEW, OLD, "Fits us better.")
    assert store.read() == []
    assert not set(BUNDLE_USE) & set(SAID)


@pytest.mark.parametrize("note", ["", "  "])
def test_it_needs_a_reason(store, note):
    with pytest.raises(InputError, match="Give a reason"):
        put(store, NEW, OLD, note)


def test_what_answers_already_or_was_never_put_into_use_is_refused(store):
    with pytest.raises(InputError, match="answers already"):
        put(store, OLD, OLD, "Again.")
    with pytest.raises(InputError, match="none to take back"):
        take_back(store, read_use(store), author=ADMIN, note="Why not.")


def test_two_admins_at_once_are_not_both_obeyed(store):
    seen = read_use(store)
    put(store, NEW, OLD, "Mine.")
    with pytest.raises(WorkError, match="Another admin changed which bundle answers"):
        put_into_use(store, seen, THIRD, before=OLD, author=Author("Dr Lee"), note="Mine too.")
    assert read_use(store).current == NEW


def test_it_holds_for_another_server_and_after_a_restart(store, url):
    put(store, NEW, OLD, "Fits us better.")
    other = Store(url)
    assert read_use(other).current == NEW
    other.close()


def test_an_entry_is_of_a_patient_or_of_a_bundle():
    with pytest.raises(InputError, match="pseudonym"):
        Entry("P-001", "AB", "put into use", text="Why.")
    with pytest.raises(InputError, match="pseudonym"):
        Entry("", "AB", "note", text="Why.")


def test_a_changed_entry_leaves_nobody_in_doubt(store, url):
    put(store, NEW, OLD, "Fits us better.")
    tamper(url, f"UPDATE entries SET bundle_sha256 = '{'d' * 64}'")
    with pytest.raises(WorkError, match="It is not known which bundle answers: Withheld: entry 1 was changed"):
        read_use(store)

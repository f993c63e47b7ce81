"""What is read for the board is checked entry by entry: one that does not hold is withheld, the others are shown."""

from dataclasses import replace

import pytest

from core.register.models import WITHHELD, Record
from core.register.seal import SealKeys
from core.register.store import Store
from tests.core.register.test_tampering import ENTRY, forge, make_old_database, run

COHORT = "a" * 64
CHANGED, UNSEALED, FORGED = "was changed", "carries no seal", "carries a seal that is not ours"


@pytest.fixture
def filled(url: str) -> str:
    store = Store(url)
    for number in range(1, 6):
        store.append(replace(ENTRY, text=f"Entry {number}.", cohort_sha256=COHORT))
    store.close()
    return url


def read(url: str) -> list[Record]:
    store = Store(url)
    try:
        return store.read(ENTRY.patient, cohort=COHORT)
    finally:
        store.close()


def list_withheld(records: list[Record]) -> dict[int, str]:
    """Give why entries are withheld; nothing of what stands in the database comes with them."""
    withheld = [record for record in records if record.kind == WITHHELD]
    assert {(r.author, r.author_key, r.agrees, r.probability, r.group, r.time_utc) for r in withheld} <= {
        ("", "", None, None, "", "")
    }
    assert not any("forged" in record.text for record in withheld)
    return {record.number: record.text for record in withheld}


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ("text = 'forged'", CHANGED),
        ("author = 'forged'", CHANGED),
        ("agrees = NULL", CHANGED),
        ("probability = 0.9", CHANGED),
        ("hash = 'forged'", CHANGED),
        ("seal = 'forged \u00e9'", FORGED),
        ("seal = ''", UNSEALED),
        ("seal = '', key_id = ''", UNSEALED),
        ("key_id = '0123456789abcdef'", "which the key file lacks"),
    ],
)
@pytest.mark.parametrize("number", [2, 3, 5])
def test_a_changed_entry_is_withheld_and_the_others_are_read(filled, number, change, why):
    run(filled, f"UPDATE entries SET {change} WHERE number = {number}")
    records = read(filled)
    assert [r.number for r in records] == [1, 2, 3, 4, 5]
    ((found, sentence),) = list_withheld(records).items()
    assert found == number
    assert sentence.startswith(f"Withheld: entry {number} ")
    assert why in sentence
    assert all(r.text == f"Entry {r.number}." for r in records if r.kind != WITHHELD)


@pytest.mark.parametrize("number", [1, 3, 5])
def test_of_a_chain_that_was_hashed_anew_nothing_from_the_forged_entry_on_is_read(filled, number):
    forge(filled, number, text="forged")
    found = list_withheld(read(filled))
    assert list(found) == list(range(number, 6))
    assert all(FORGED in sentence for sentence in found.values())


def test_an_entry_of_another_course_is_withheld_with_its_neighbours(tmp_path):
    """All are sealed by us, some from before a backup was put back, some from after: which, the seals don't tell."""
    urls = [f"sqlite:///{tmp_path / name}" for name in ("board.db", "other.db")]
    for url in urls:
        store = Store(url)
        for number in range(1, 5):
            store.append(replace(ENTRY, text=f"{url[-8:]} {number}", cohort_sha256=COHORT))
        store.close()
    other = read(urls[1])[1].to_dict()
    values = ", ".join(f"{name} = '{other[name]}'" for name in ("text", "time_utc", "previous", "hash", "seal"))
    run(urls[0], f"UPDATE entries SET {values} WHERE number = 2")
    assert list(list_withheld(read(urls[0]))) == [1, 2, 3]
    run(urls[0], "DELETE FROM entries WHERE number = 1")
    sentence = "Withheld: entry 3 does not follow the one before. Tell the database administrator."
    assert list_withheld(read(urls[0])) == dict.fromkeys((2, 3), sentence)


def test_of_two_entries_that_are_read_alone_each_is_judged_by_itself(filled):
    run(filled, "UPDATE entries SET patient = 'P-002' WHERE number IN (2, 4)")
    assert list_withheld(read(filled)) == {}
    store = Store(filled)
    assert list(list_withheld(store.read("P-002"))) == [2, 4]
    store.close()


def test_the_last_decision_is_not_named_if_it_does_not_hold(filled):
    run(filled, "UPDATE entries SET agrees = NOT agrees WHERE number = 5")
    store = Store(filled)
    assert store.read_stands(COHORT)[ENTRY.patient].kind == WITHHELD
    store.close()


@pytest.mark.parametrize("number", [None, 1, 2, 3])
def test_entries_from_before_the_seals_are_proven_by_the_first_seal(url, number):
    make_old_database(url, 3)
    store = Store(url)
    store.append(ENTRY)
    assert list_withheld(store.read()) == {}
    store.close()
    if number is not None:
        forge(url, number, text="forged")
        store = Store(url)
        assert list(list_withheld(store.read())) == [1, 2, 3, 4]
        store.close()


@pytest.mark.parametrize("number", [2, 5])
def test_a_forged_entry_without_a_seal_is_withheld(filled, number):
    """Its own hash is right; but only before the first seal may an entry go without one."""
    forge(filled, number, text="forged", seal="", key_id="")
    assert list(list_withheld(read(filled))) == list(range(number, 6))


def test_without_any_seal_nothing_holds(filled):
    forge(filled, 2, text="forged")
    run(filled, "UPDATE entries SET seal = '', key_id = ''")
    assert list(list_withheld(read(filled))) == [1, 2, 3, 4, 5]


def test_a_key_that_another_process_added_is_found(filled, config):
    reader, writer = Store(filled), Store(filled)
    SealKeys.open(config / "board.keys").add_key()
    writer.close()
    writer = Store(filled)
    assert writer.append(ENTRY).key_id != reader.read()[0].key_id
    assert list_withheld(reader.read()) == {}
    reader.close()
    writer.close()


@pytest.mark.parametrize("change", ["text = x'00ff'", "probability = 9e999", "seal = x'00ff'", "key_id = x'00ff'"])
def test_what_no_entry_can_hold_is_withheld(tmp_path, change):
    url = f"sqlite:///{tmp_path}/board.db"
    store = Store(url)
    for _ in range(3):
        store.append(replace(ENTRY, cohort_sha256=COHORT))
    store.close()
    run(url, f"UPDATE entries SET {change} WHERE number = 2")
    assert list(list_withheld(read(url))) == [2]


def test_the_export_of_the_audit_holds_what_stands_there(filled):
    run(filled, "UPDATE entries SET text = 'forged' WHERE number = 2")
    store = Store(filled)
    assert [*store.read_as_found()][1].text == "forged"
    store.close()

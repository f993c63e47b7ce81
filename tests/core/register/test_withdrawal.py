"""A wrong estimate is withdrawn by a further entry, which another undoes: the chain keeps all of it."""

import pytest

from core.errors import InputError
from core.register.listing import Filter, count_entries, has_estimate, list_estimates, read_overview, sum_estimates
from core.register.patients import read_estimates, tabulate_register
from core.register.pseudonyms import question_text
from core.register.withdrawal import REASONS, find_last, is_withdrawn, reinstate, withdraw
from tests.core.register.register_entries import AB, add_estimates

WRONG = REASONS[1]


def count(store) -> tuple[int, int, int, int]:
    overview = read_overview(store)
    listed, away = (len(list_estimates(store, Filter(withdrawn=is_away))) for is_away in (False, True))
    sums = sum_estimates(store)["estimates"].sum()
    table = len(tabulate_register(store))
    assert table == listed == overview.estimates == sums == len([*read_estimates(store)])
    assert away == overview.withdrawn == count_entries(store)["withdrawn"]
    return listed, away, store.verify_chain().entries, has_estimate(store, prospective=False)


def test_a_withdrawn_estimate_counts_nowhere_and_comes_back(store):
    add_estimates(store, ["P-1", "P-2"])
    record = withdraw(store, 1, AB, reason=WRONG, text="left for right")
    assert (record.corrects, record.text) == (1, f"{WRONG}: left for right")
    assert count(store) == (1, 1, 3, True)
    reinstate(store, 1, AB, text="it was right")
    assert count(store) == (2, 0, 4, True)
    withdraw(store, 1, AB, reason=WRONG)
    withdraw(store, 2, AB, reason=WRONG)
    assert count(store) == (0, 2, 6, False)
    assert is_withdrawn(find_last(store, 1))
    assert store.verify_chain().holds


@pytest.mark.parametrize(
    ("number", "reason", "text", "sentence"),
    [
        (1, "because", "", "Choose one of the reasons"),
        (1, REASONS[-1], " ", "which other reason"),
        (1, WRONG, "x" * 1000, "longer than 400"),
        (2, WRONG, "", "not an estimate"),
        (9, WRONG, "", "not an estimate"),
    ],
)
def test_what_cannot_be_withdrawn_is_refused(store, number, reason, text, sentence):
    add_estimates(store, ["P-1"])
    withdraw(store, 1, AB, reason=WRONG)
    reinstate(store, 1, AB, text="a mistake")
    with pytest.raises(InputError, match=sentence):
        withdraw(store, number, AB, reason=reason, text=text)


def test_twice_is_once(store):
    add_estimates(store, ["P-1"])
    with pytest.raises(InputError, match="not withdrawn"):
        reinstate(store, 1, AB, text="so")
    withdraw(store, 1, AB, reason=WRONG)
    with pytest.raises(InputError, match="withdrawn already"):
        withdraw(store, 1, AB, reason=WRONG)
    with pytest.raises(InputError, match="Give the reason"):
        reinstate(store, 1, AB, text="")


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("born 1.2.1960", "date"),
        ("record 4711 0815", "record number"),
        ("was Anna Jones", "name"),
        ("Frau Müller", "name"),
        ("the box lay on the rib, 3 mm off", ""),
        ("", ""),
    ],
)
def test_a_text_that_may_tell_the_patient_is_questioned(text, word):
    assert (word in question_text(text)) if word else question_text(text) == ""

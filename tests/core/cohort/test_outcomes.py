"""Tables of outcomes: which rows state the outcome of the tumour that was examined."""

import pytest

from core.cohort.outcomes import CORE, TREATED, read_outcomes


@pytest.mark.parametrize("words", [("core", "surgical"), ("Stanzbiopsie", "Resektat"), ("穿刺活检", "手术标本")])
def test_a_core_biopsys_ki67_is_never_the_outcome(words):
    core, surgical = words
    table = f"patient_id,Ki-67,specimen\nP-1,30,{core}\nP-2,20,{surgical}\nP-3,10,\nP-4,5,FFPE block\n"
    read = read_outcomes(table.encode())
    assert [row[1] for row in read.rows] == ["P-2", "P-3", "P-4"]
    assert all(values.keys() == {"ki67_pct"} for _, _, values in read.rows)
    assert read.reading.refused == ((2, CORE),)


def test_what_surgery_found_after_neoadjuvant_therapy_is_not_taken_but_follow_up_is():
    table = "patient_id,ki67_pct,rfs_months,rfs_event,neoadjuvant\nP-1,30,,,yes\nP-2,,24,0,yes\nP-3,10,12,1,no\n"
    read = read_outcomes(table.encode())
    assert [row[1] for row in read.rows] == ["P-2", "P-3"]
    assert read.reading.refused == ((2, TREATED),)

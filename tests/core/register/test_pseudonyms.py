"""What looks like a name, a birth date or a record number is questioned; a pseudonym is not."""

import pytest

from core.register.pseudonyms import question_pseudonym


@pytest.mark.parametrize(
    "text",
    [
        "P-001",
        "SIM-D0001",
        "GRAZ-2023-0012",
        "U-7",
        "c3-00412",
        "A17",
        "ext_0042",
        "患者12",
        "Graz-0012",
        "BUS-BRA-001",
        "Graz-2023-0012",
        "v1.2.3-7",
        "BusBra001",
        "Mar-01-0012",
        "SEP2-17",
        "AM123456",
        "ab-999999",
        "K-4711",
        "PAT-00012",
    ],
)
def test_a_pseudonym_is_not_questioned(text):
    assert question_pseudonym(text) == ""


@pytest.mark.parametrize(
    ("text", "like"),
    [
        ("Schmidt", "a name"),
        ("Müller, Anna", "a name"),
        ("DOE^JANE 1", "a name"),
        ("jane.doe1@example.org", "a name"),
        ("王芳", "a name"),
        ("1961-04-12", "a date of birth"),
        ("P 12.04.1961", "a date of birth"),
        ("19610412", "a date of birth"),
        ("A-12041961", "a date of birth"),
        ("P 12.4.61", "a date of birth"),
        ("12/04/61-A", "a date of birth"),
        ("Schmidt_Anna_1", "a name"),
        ("Müller-Jürgen-67", "a name"),
        ("anna.schmidt2", "a name"),
        ("Schmidt1961", "a name"),
        ("Schmidt 1961", "a name"),
        ("MuellerAnna61", "a name"),
        ("Łukasz_Żak7", "a name"),
        ("Żaneta1961", "a name"),
        ("łucja.nowak2", "a name"),
        ("12APR1961", "a date of birth"),
        ("P 3. Mai 1961", "a date of birth"),
        ("Apr 12, 1961", "a date of birth"),
        ("AM120461", "a date of birth"),
        ("am-610412", "a date of birth"),
        ("PID 00471123", "a hospital's record number"),
        ("MRN123456", "a hospital's record number"),
        ("4711002", "a hospital's record number"),
        ("12-345-678", "a hospital's record number"),
    ],
)
def test_what_it_looks_like_is_said(text, like):
    assert f"looks like {like}" in question_pseudonym(text)

from pathlib import Path

import pytest

from core.clinical import BY_NAME, FIELDS, M1_PREDICTORS, M2_PREDICTORS, parse_inputs, parse_value
from core.errors import ClinicalError
from tests.clinical_table import render_names, render_table


def test_the_dictionary_has_51_fields_with_unique_names() -> None:
    assert len(FIELDS) == len(BY_NAME) == 51


def test_predictors_of_m1_are_known_before_biopsy_and_hold_no_answer() -> None:
    assert {BY_NAME[name].available_at for name in M1_PREDICTORS} == {"T0 before biopsy"}
    assert set(M2_PREDICTORS) - set(M1_PREDICTORS) == {"grade_cnb", "er_pct", "pr_pct", "her2"}
    assert not {"ki67_pct", "ki67_cnb_pct"} & set(M2_PREDICTORS)


@pytest.mark.parametrize(
    ("name", "raw", "parsed"),
    [
        ("age", "54", 54.0),
        ("size_mm", "21,5", 21.5),
        ("size_mm", "21,5 mm", 21.5),
        ("ki67_pct", "35 %", 35.0),
        ("birads", "4a", "4A"),
        ("birads", "BI-RADS 5", "5"),
        ("adler", 2.0, "2"),
        ("adler", "2.0", "2"),
        ("grade_cnb", "3.0", "3"),
        ("adler", "0,0", "0"),
        ("palpable", True, "yes"),
        ("palpable", "tastbar", "yes"),
        ("palpable", "nicht tastbar", "no"),
        ("palpable", "no palpable", "no"),
        ("palpable", "未触及", "no"),
        ("menopausal", "non ménopausée", "pre"),
        ("menopausal", "posmenopáusica", "post"),
        ("menopausal", "MENOPAUSICA", "post"),
        ("menopausal", "postmenopausal", "post"),
        ("aln_suspicious", "1", "suspicious"),
        ("her2", "0", "0"),
        ("her2", "3", "3+"),
        ("aln_suspicious", "1.0", "suspicious"),
        ("posterior", "none", "none"),
        ("age", "not known", None),
        ("menopausal", float("nan"), None),
    ],
)
def test_a_value_is_read_as_clinics_write_it(name: str, raw: object, parsed: object) -> None:
    assert parse_value(BY_NAME[name], raw) == parsed


@pytest.mark.parametrize(
    ("name", "raw", "message"),
    [
        ("age", 430, "430 is outside 18 to 100 years"),
        ("age", "old", "'old' is not a number"),
        ("age", float("inf"), "not a number"),
        ("clock", 3.5, "not a whole number"),
        ("birads", "6", "BI-RADS 6 means that cancer is already proven"),
        ("birads", "2", "not one of 3, 4A"),
        ("exam_date", "31.12.2024", "write YYYY-MM-DD"),
    ],
)
def test_a_value_that_does_not_fit_is_refused_with_the_reason(name: str, raw: object, message: str) -> None:
    with pytest.raises(ClinicalError, match=message):
        parse_value(BY_NAME[name], raw)


@pytest.mark.parametrize("name", ["ki67_pct", "ki67_cnb_pct", "ki67"])
def test_the_answer_is_refused_as_an_input(name: str) -> None:
    with pytest.raises(ClinicalError, match="Leave it out"):
        parse_inputs({"age": 50, name: 30})


def test_inputs_keep_known_predictors_only() -> None:
    assert parse_inputs({"age": 50, "palpable": None, "laterality": "left"}) == {"age": 50.0}


def test_an_unknown_field_is_refused() -> None:
    with pytest.raises(ClinicalError, match="'weight' is not a field"):
        parse_inputs({"weight": 70})


def test_the_readme_prints_the_dictionary() -> None:
    words = (Path(__file__).parents[2] / "core" / "clinical" / "README.md").read_text(encoding="utf-8")
    assert render_table() in words
    assert render_names() in words

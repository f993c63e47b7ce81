"""The form of clinical values, made from the data dictionary and the bundle's predictors."""

from collections.abc import Iterable, Mapping

import streamlit as st

from core.clinical import BY_NAME, Field
from core.inference.explain import NOT_KNOWN

KEY = "case_field_"
ULTRASOUND = ("size_mm", "birads", "adler", "aln_suspicious")
BIOPSY = "T1 after biopsy"


def ask_clinical(predictors: Iterable[str]) -> dict[str, object]:
    """Draw the form.

    Parameters
    ----------
    predictors : iterable of str
        Fields that the model takes.

    Returns
    -------
    dict of str to object
        Raw values as entered, for `core.clinical.parse_inputs`.
    """
    groups: dict[str, list[Field]] = {"Patient": [], "Ultrasound": [], "Core biopsy": []}
    for name in predictors:
        groups[_name_group(BY_NAME[name])].append(BY_NAME[name])
    raw: dict[str, object] = {}
    for title, fields in groups.items():
        if fields:
            st.markdown(f"**{title}**")
            raw |= {field.name: _ask(field) for field in fields}
    return raw


def fill_clinical(values: Mapping[str, object], predictors: Iterable[str]) -> None:
    """Put values into the form; what is not among them becomes "not known".

    Parameters
    ----------
    values : mapping of str to value
        Known values.
    predictors : iterable of str
        Fields of the form.
    """
    for name in predictors:
        field, value = BY_NAME[name], values.get(name)
        if field.levels:
            st.session_state[KEY + name] = NOT_KNOWN if value is None else str(value)
        else:
            st.session_state[KEY + name] = None if value is None else float(str(value))


def _name_group(field: Field) -> str:
    if field.available_at == BIOPSY:
        return "Core biopsy"
    return "Ultrasound" if field.name in ULTRASOUND else "Patient"


def _ask(field: Field) -> object:
    """Ask for one value; a range is checked by the data dictionary, so that the sentence is the same everywhere."""
    key, note = KEY + field.name, field.note or None
    if field.levels:
        options = (NOT_KNOWN, *field.levels)
        st.session_state.setdefault(key, NOT_KNOWN)
        return st.segmented_control(
            field.label, options, required=True, key=key, help=note, persist_state="session", wrap=True
        )
    return st.number_input(
        f"{field.label} ({field.unit})" if field.unit else field.label,
        value=None,
        step=1.0,
        format="%g",
        placeholder=f"{NOT_KNOWN} ({field.describe_values()})",
        key=key,
        help=note,
        persist_state="session",
    )

"""The form of clinical values, made from the data dictionary and the bundle's predictors."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.clinical import BY_NAME, Field, is_missing, parse_inputs
from core.errors import ClinicalError
from core.figures.wording import shorten_label
from core.imaging.side import BOTH, CONTRADICTS, LETTERS, WORDS, list_sides
from core.inference.explain import NOT_KNOWN
from core.inference.plausibility import Question
from core.inference.prediction import View
from core.ui.case.events import Confirmed, SideSaid, ValuesEntered
from core.ui.case.session import change_case, get_case, name_form, name_widget
from core.ui.errors import guard

ULTRASOUND = ("size_mm", "birads", "adler", "aln_suspicious")
MOST_NAMED = 3  # values not known, on one line
BIOPSY = "T1 after biopsy"
MARK = "<style>.st-key-{key} [data-baseweb] {{ outline: 2px solid #B3261E; border-radius: 0.5rem; }}</style>"


@dataclass(frozen=True)
class Form:
    """What the form holds."""

    values: Mapping[str, str | float]  # checked values of the fields that are known
    faults: Mapping[str, str]  # what is wrong with a field
    slots: Mapping[str, DeltaGenerator]  # place below each field


def ask_clinical(predictors: Iterable[str]) -> Form:
    """Draw the form; a value that can't be used is marked and said below its field."""
    groups: dict[str, list[Field]] = {"Patient": [], "Ultrasound": [], "Core biopsy": []}
    for name in predictors:
        groups[_name_group(BY_NAME[name])].append(BY_NAME[name])
    raw: dict[str, object] = {}
    values: dict[str, str | float] = {}
    faults: dict[str, str] = {}
    slots: dict[str, DeltaGenerator] = {}
    for title, fields in groups.items():
        if fields:
            st.markdown(f"**{title}**")
        for field in fields:
            raw[field.name], slots[field.name] = _ask(field), st.container()
            try:
                values |= parse_inputs({field.name: raw[field.name]}, [field.name])  # type: ignore[arg-type]
            except ClinicalError as error:
                faults[field.name] = str(error)
                _mark(field.name, str(error), slots[field.name])
    entered = {name: value for name, value in raw.items() if not is_missing(value)}
    if entered != get_case().values:
        change_case(ValuesEntered(entered))
    return Form(values, faults, slots)


def ask_side(views: Iterable[View]) -> str | None:
    """Ask for the breast where the images' headers don't name one; the model does not use it."""
    field, header = BY_NAME["laterality"], list_sides(view.frame for view in views)
    said = get_case().side
    if header in WORDS and said in {None, WORDS[header]}:
        st.caption(f"{field.label}: {WORDS[header]} breast, by the file's header.")
        return None
    key = name_form(get_case(), field.name)
    st.session_state.setdefault(key, said or NOT_KNOWN)
    chosen = st.segmented_control(
        field.label,
        (NOT_KNOWN, *field.levels),
        required=True,
        key=key,
        help="The breast, for the document and the DICOM results; the model does not use it.",
        persist_state="session",
    )
    side = None if chosen == NOT_KNOWN else chosen
    if side != said:
        change_case(SideSaid(side))
    if len(header) > 1:
        st.warning(BOTH)
    elif header and side and LETTERS[side] != header:
        st.warning(CONTRADICTS.format(WORDS[header], side))
    return side


def show_unknown(predictors: Sequence[str]) -> None:
    """Name the values that are not known; many are counted, so that what follows keeps its place on the screen."""
    unknown = [shorten_label(BY_NAME[name].label) for name in predictors if name not in get_case().values]
    if len(unknown) > MOST_NAMED:
        counted = f"**{len(unknown)} of {len(predictors)}** values not known"
        st.caption(counted, width="content", help=", ".join(unknown))
    elif unknown:
        st.caption("Not known: " + " ".join(f":gray-badge[{name} ?]" for name in unknown))


def show_questions(form: Form, questions: Iterable[Question]) -> None:
    """Ask beside its field about each value that seems a slip, until the user says that it is right."""
    for question in questions:
        if question.field not in form.slots:
            continue
        with form.slots[question.field]:
            if question.sentence in get_case().confirmed:
                st.caption(f"Confirmed: {question.sentence.split('. ')[0]}.")
                continue
            st.warning(question.sentence)
            st.button(
                "It is right",
                key=name_widget(f"right_{question.field}"),
                on_click=guard(change_case),
                args=(Confirmed(question.sentence),),
            )


def _mark(name: str, sentence: str, slot: DeltaGenerator) -> None:
    key = name_form(get_case(), name)
    with slot:
        st.html(MARK.format(key=key))
        st.error(sentence)


def _name_group(field: Field) -> str:
    if field.available_at == BIOPSY:
        return "Core biopsy"
    return "Ultrasound" if field.name in ULTRASOUND else "Patient"


def _ask(field: Field) -> object:
    """Ask for one value; a range is checked by the data dictionary, so that the sentence is the same everywhere."""
    case, note = get_case(), field.note or None
    key, known = name_form(case, field.name), case.values.get(field.name)
    if field.levels:
        options = (NOT_KNOWN, *field.levels)
        st.session_state.setdefault(key, NOT_KNOWN if known is None else str(known))
        return st.segmented_control(
            field.label, options, required=True, key=key, help=note, persist_state="session", wrap=True
        )
    st.session_state.setdefault(key, None if known is None else float(str(known)))
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

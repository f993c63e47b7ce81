"""What the person who trains decides: name, description, cut-off, rule, external centre, rows to keep."""

import re

import streamlit as st

from core.errors import UsageError
from core.training.plan import MIN_TRAIN, TrainingPlan
from core.ui.cohort.session import get_own
from core.ui.train.reporting import ask_answers
from core.ui.train.source import STATE
from models.cutoff import DEFAULT_CUTOFF, RULES, Cutoff

NAME = re.compile(r"[\w .()+-]{1,60}")
UNTITLED, OWN_DATA = "Own model", "Own data."


def ask_plan(centres: list[str]) -> TrainingPlan:
    """Draw the options of `python -m core train`. A centre to hold out is asked for where the table gives no split."""
    left, right = st.columns(2)
    with left:
        name = st.text_input("Name of the bundle", UNTITLED, key="train_name", persist_state="session", max_chars=60)
        about = st.text_area(
            "The training data in a sentence", OWN_DATA, key="train_about", persist_state="session", max_chars=500
        )
        simulated = st.checkbox("The patients are simulated", key="train_simulated", persist_state="session")
    with right:
        value = st.number_input(
            "Ki-67 cut-off (%)", 1.0, 99.0, DEFAULT_CUTOFF.value, 1.0, key="train_cutoff", persist_state="session"
        )
        rule = st.segmented_control(
            "High is",
            RULES,
            default=DEFAULT_CUTOFF.rule,
            format_func={">=": "at or above it", ">": "above it"}.__getitem__,
            required=True,
            key="train_rule",
            persist_state="session",
        )
        external = (
            st.multiselect("External centres, held out", centres, key=f"train_external_{get_own(STATE).uploads}")
            if centres
            else []
        )
        kept = st.text_input(
            "Rows kept although their image was refused",
            key="train_kept",
            persist_state="session",
            help="Numbers of rows of the table, commas between; a training names the rows that it refuses.",
        )
        few = st.checkbox(
            f"Train on fewer than {MIN_TRAIN} patients, for trying out only", key="train_few", persist_state="session"
        )
    answers = ask_answers()
    return TrainingPlan(
        name=_read_name(name),
        description=" ".join(about.split()) or OWN_DATA,
        simulated=simulated,
        cutoff=Cutoff(float(value), str(rule)),
        external=tuple(external),
        choices=get_own(STATE).choices,
        kept=_read_rows(kept),
        few=few,
        reporting=answers,
        confined=True,
    )


def _read_name(text: str) -> str:
    name = " ".join(text.split()) or UNTITLED
    if not NAME.fullmatch(name):
        raise UsageError("The name has characters that are not allowed: use letters, digits, spaces, dots and dashes.")
    return name


def _read_rows(text: str) -> frozenset[int]:
    parts = [part.strip() for part in text.replace(";", ",").split(",") if part.strip()]
    if not all(part.isascii() and part.isdigit() for part in parts):
        raise UsageError("Rows to keep are whole numbers with commas between, as 12, 40.")
    return frozenset(map(int, parts))

"""Estimates of the Case page and of a scored cohort, added to the register where the setting "register" is on."""

import datetime
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

import streamlit as st

from core.clinical.ids import clean_id
from core.errors import WorkError
from core.inference.engines.choice import describe_choice
from core.plain_text import plain
from core.settings import get_text_setting
from core.ui.case.session import name_widget, note_saved
from core.ui.case.state import Answer
from core.ui.errors import guard
from core.ui.image_source import Source
from core.ui.login import User
from core.ui.register.availability import is_on
from core.ui.resources import get_bundle

if TYPE_CHECKING:
    from core.register.estimate.entry import Estimate
    from core.register.estimate.table import ReadEstimates
    from core.register.models import Kind
    from core.ui.cohort.current import Cohort

INITIALS = "board_initials"
AT_ONCE, MOST_NAMED = 10_000, 5
IS_PSEUDONYM = "It is a pseudonym and does not identify the patient"


def ask_initials(user: User) -> str:
    """Give the login's name, or ask for initials here; the tumour board asks for the same."""
    if user.name:
        return user.name
    return st.text_input("Your initials", key=INITIALS, max_chars=20, persist_state="session", width=200).strip()


def offer_case(user: User, answer: Answer, source: Source) -> None:
    """Offer to add the present estimate, with what the register has to know beside it."""
    from core.register.estimate.entry import EARLIEST  # noqa: PLC0415 - brings the database

    if not is_on():
        return
    with st.expander("Add to register"):
        pseudonym = st.text_input(
            "Pseudonym",
            source.patient_id or "",
            max_chars=64,
            key=name_widget("register_pseudonym"),
            autocomplete="off",
            placeholder="No names and no dates of birth",
        ).strip()
        is_sound = not pseudonym or _ask_pseudonym(pseudonym, name_widget("register_sound"))
        centre = st.text_input("Centre", key="register_centre", max_chars=100, persist_state="session").strip()
        last = datetime.datetime.now(datetime.UTC).date() + datetime.timedelta(days=1)  # today, east of here
        day = st.date_input(
            "Date of the examination", None, EARLIEST, last, name_widget("register_day"), format="YYYY-MM-DD"
        )
        author = ask_initials(user)
        lacks = [
            words
            for words, is_there in (
                ("a pseudonym", pseudonym and is_sound),
                ("the date of the examination", day),
                ("your initials", author),
            )
            if not is_there
        ]
        st.button(
            "Add to register",
            disabled=bool(lacks),
            help=f"Give {', '.join(lacks)} first." if lacks else None,
            on_click=guard(_add_case),
            args=(user, author, answer, source.is_simulated, (pseudonym, centre, day)),
            key=name_widget("register_add"),
        )
        if entry := find_kept(answer, source):
            st.markdown(f"This estimate is entry **{entry}** of the register.")


def find_kept(answer: Answer, source: Source) -> str:
    """Name the entry of the register that keeps the present estimate under the case's pseudonym; "" where none does."""
    told = st.session_state.get(name_widget("register_pseudonym"), source.patient_id)
    if not is_on() or not (told or "").strip():
        return ""
    from core.register.listing import find_entry  # noqa: PLC0415
    from core.ui.register.database import get_store  # noqa: PLC0415 - brings the database

    with suppress(WorkError):  # the case goes on without its database
        return find_entry(get_store(), clean_id(told), answer.prediction)
    return ""


def offer_cohort(user: User, cohort: "Cohort") -> None:
    """Offer to add all patients of a cohort that was scored in this session."""
    from core.ui.cohort.current import get_package  # noqa: PLC0415 - the Case page needs none of it

    if not is_on() or get_package(cohort) is None or not user.may("clinician"):
        return
    with st.expander(f"Add all {len(cohort.table):,} patients to the register"):
        author = ask_initials(user)
        simulated = st.checkbox("These patients are simulated", key="register_simulated")
        is_sound = _ask_pseudonyms(cohort.table["patient_id"].astype(str))
        st.button(
            "Add all to register",
            disabled=not (author and is_sound),
            help=None if author else "Give your initials first.",
            on_click=guard(_add_cohort),
            args=(user, author, cohort, simulated),
        )
        if "register_said" in st.session_state:
            st.markdown(st.session_state["register_said"])


def add(user: User, author: str, estimates: "Sequence[Estimate]") -> int:
    """Add estimates, and give how many were not there yet."""
    from core.ui.register.database import get_store  # noqa: PLC0415 - brings the database

    parts = (estimates[start : start + AT_ONCE] for start in range(0, len(estimates), AT_ONCE))
    return sum(len(get_store().append_all([one.to_entry(author, user.key, user.role) for one in p])) for p in parts)


def _ask_pseudonym(text: str, key: str) -> bool:
    from core.register.pseudonyms import question_pseudonym  # noqa: PLC0415

    question = question_pseudonym(text)
    if not question:
        return True
    st.markdown(f":orange-badge[Question] {question}")
    return st.checkbox(IS_PSEUDONYM, key=key)


def _ask_pseudonyms(names: Iterable[str]) -> bool:
    from core.register.pseudonyms import question_pseudonym  # noqa: PLC0415

    asked = [(name, question) for name in names if (question := question_pseudonym(name))]
    if not asked:
        return True
    listed = ", ".join(plain(name) for name, _ in asked[:MOST_NAMED])
    more = f" and {len(asked) - MOST_NAMED} more" if len(asked) > MOST_NAMED else ""
    st.markdown(
        f":orange-badge[Question] {len(asked)} pseudonyms ({listed}{more}) look like a name, a date or a number."
    )
    return st.checkbox("They are pseudonyms and do not identify the patients", key="register_sound")


def _add_case(
    user: User,
    author: str,
    answer: Answer,
    simulated: bool,
    told: tuple[str, str, datetime.date],
) -> None:
    from core.register.estimate.entry import Estimate  # noqa: PLC0415

    patient, centre, day = told
    about = {
        "patient": patient,
        "centre": centre,
        "exam_date": day.isoformat(),
        "engine": describe_choice(get_text_setting("engine")),
    }
    estimate = Estimate.of_case(answer.case, answer.prediction, is_simulated=simulated, **about)
    add(user, author, [estimate])
    note_saved()


def _add_cohort(user: User, author: str, cohort: "Cohort", simulated: bool) -> None:
    kinds: tuple[Kind, ...] = ("reading",)
    from core.register.estimate.table import read_estimates  # noqa: PLC0415
    from core.register.withdrawal import count_withdrawn  # noqa: PLC0415
    from core.ui.cohort.current import get_package  # noqa: PLC0415
    from core.ui.register.database import get_store  # noqa: PLC0415 - brings the database

    package = get_package(cohort)
    bundle = get_bundle() if package is None else package.bundle  # another one may answer by now
    readings = get_store().read(cohort=cohort.sha256, kinds=kinds)
    own = {r.patient: r.probability for r in reversed(readings) if r.probability is not None}
    found = read_estimates(
        cohort.table, bundle, engine=describe_choice(get_text_setting("engine")), simulated=simulated, own=own
    )
    estimates = found.estimates
    count = add(user, author, estimates)
    there = f"; {len(estimates) - count:,} were there already" if count < len(estimates) else ""
    if withdrawn := count_withdrawn(get_store(), [one.identity for one in estimates]):
        there += f", {withdrawn:,} of them withdrawn: on the page Register each can be put back"
    st.session_state["register_said"] = f"**{count:,} added** to the register{there}.{_say_rest(found, cohort)}"


def _say_rest(found: "ReadEstimates", cohort: "Cohort") -> str:
    """Say which patients are simulated by their device, and which rows can't be kept."""
    told = f" {found.simulated:,} of a simulated device are kept as simulated patients." if found.simulated else ""
    rows = found.number(cohort.read.rows)
    if not rows:
        return told
    named = "; ".join(f"row {row}: {plain(reason)}" for row, reason in rows[:MOST_NAMED])
    more = f" and {len(rows) - MOST_NAMED:,} more" if len(rows) > MOST_NAMED else ""
    return f"{told} {len(rows):,} can't be kept: {named}{more}."

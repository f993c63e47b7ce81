"""What is known of a patient of the register: its entries, and the form that adds to them."""

import json
from collections.abc import Mapping, Sequence

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.clinical import BY_NAME, COLUMNS
from core.errors import AppError, InputError
from core.inference.explain import format_percent
from core.plain_text import plain
from core.register.estimate.entry import EARLIEST
from core.register.models import REGISTER, WITHHELD, Kind, Record
from core.register.outcome_entry import (
    FIELDS,
    NOTHING,
    Author,
    Kept,
    Values,
    check_outcome,
    describe_value,
    make_entry,
    read_kept,
)
from core.register.store import Store
from core.ui.register.session import change_state, get_state
from core.ui.register.state import RegisterState
from core.ui.register.withdrawing import ask_about_text, ask_withdrawal, list_withdrawn

YES_NO = {1: "yes", 0: "no"}
KINDS = {
    "registered": "Estimate",
    "outcome": "Outcome",
    "follow-up": "Follow-up",
    "withdrawal": "Withdrawal",
    "reinstatement": "Reinstatement",
}
MEANWHILE = "Somebody entered something for this patient in the meantime, so nothing was saved: check what is kept now."
KNOWN_ALREADY = "These values are kept already, so nothing was saved."


def show_patient(store: Store, patient: str, author: Author) -> None:
    """Show a patient's entries and the form of the outcome."""
    st.header(f"{plain(patient)}", anchor=False)
    kept = read_kept(store, [patient])
    form, history = st.columns([3, 2], gap="large")
    with history:
        records = store.read(patient, kinds=REGISTER)
        _show_entries(records)
        if all(record.kind != WITHHELD for record in records):
            ask_withdrawal(store, records, author)
    if any(one.fault for one in kept.values()):
        form.markdown("Nothing can be entered for this patient while an entry is withheld.")
        return
    key = f"register_outcome_{get_state().opened}_{sum(one.last for one in kept.values())}"
    with form, st.form(key):
        raw = _ask_found(kept.get((patient, "outcome"), NOTHING).values)
        raw |= _ask_followed(kept.get((patient, "follow-up"), NOTHING).values)
        reason = st.text_input(
            "Reason, where something kept is corrected",
            max_chars=400,
            help="What is kept stays in the chain; the correction is a new entry that names it.",
        )
        is_sound = ask_about_text(reason, f"{key}_sound")
        sent = st.form_submit_button("Save", type="primary", disabled=not author.name)
    if not author.name:
        st.caption("Give your initials in the sidebar to save.")
    if sent and is_sound:
        try:
            said = _save(store, patient, raw, kept, author, reason)
        except AppError as error:
            st.error(plain(error))
            return
        change_state(RegisterState.say, said)
        st.rerun()
    if get_state().said:
        st.markdown(get_state().said)


def _ask_found(values: Values) -> dict[str, object]:
    """Ask for what pathology found, from what is kept."""
    st.markdown("**Pathology of the surgical specimen**")
    one, two, three = st.columns(3)
    raw: dict[str, object] = {
        "ki67_pct": _ask_number(one, "Ki-67 (%)", values.get("ki67_pct"), 100.0),
        "ki67_cutoff": _ask_number(two, "Cut-off of the laboratory (%)", values.get("ki67_cutoff"), 100.0),
        "pt": _ask_level(three, "pt", values),
    }
    one, two, three = st.columns(3)
    raw["ki67_laboratory"] = one.text_input("Laboratory", str(values.get("ki67_laboratory", "")), max_chars=100)
    raw["ki67_antibody"] = two.text_input("Antibody", str(values.get("ki67_antibody", "")), max_chars=100)
    raw["pn"] = _ask_level(three, "pn", values)
    one, two, _ = st.columns(3)
    raw["nodes_removed"] = _ask_number(one, "Nodes removed", values.get("nodes_removed"), 60)
    raw["nodes_positive"] = _ask_number(two, "Nodes positive", values.get("nodes_positive"), 60)
    return raw


def _ask_followed(values: Values) -> dict[str, object]:
    """Ask for the follow-up, from what is kept."""
    st.markdown("**Follow-up**")
    one, two, three = st.columns(3)
    months = _ask_number(one, "Months to recurrence or last contact", values.get("rfs_months"), 600.0)
    known = values.get("rfs_event")
    at = None if known is None else list(YES_NO).index(int(known))
    event = two.selectbox("Recurrence", list(YES_NO), at, format_func=YES_NO.__getitem__, placeholder="not known")
    kept_day = str(values["last_followup"]) if "last_followup" in values else None
    day = three.date_input("Last follow-up", kept_day, EARLIEST, format="YYYY-MM-DD")
    return {"rfs_months": months, "rfs_event": event, "last_followup": day.isoformat() if day else None}


def _ask_number(place: DeltaGenerator, label: str, kept: str | float | None, most: float) -> float | None:
    kind = type(most)
    number: float | None = place.number_input(label, kind(0), most, None if kept is None else kind(kept))
    return number


def _ask_level(place: DeltaGenerator, name: str, values: Values) -> str | None:
    levels = list(BY_NAME[name].levels)
    at = levels.index(str(values[name])) if name in values else None
    level: str | None = place.selectbox(BY_NAME[name].label, levels, at, placeholder="not known")
    return level


def _save(
    store: Store,
    patient: str,
    raw: Mapping[str, object],
    kept: Mapping[tuple[str, Kind], Kept],
    author: Author,
    reason: str,
) -> str:
    """Write what the form adds or corrects, and say what was done."""
    given, entries = check_outcome(raw), []
    for kind in FIELDS:
        before, values = kept.get((patient, kind), NOTHING), given.get(kind, {})
        if values == before.values:
            continue
        is_taken_away = not before.values.keys() <= values.keys()
        if is_taken_away and not reason.strip():
            raise InputError("A value that is kept was removed: give the reason for the correction.")
        is_correction = is_taken_away or bool(before.find_differences(kind, values))
        entries.append(make_entry(patient, kind, values, before, author, reason=reason if is_correction else ""))
    if not entries:
        return KNOWN_ALREADY
    records = store.append_all(entries)
    if len(records) < len(entries):
        return MEANWHILE
    return f"**Saved** as entry {' and '.join(str(record.number) for record in records)}."


def _show_entries(records: Sequence[Record]) -> None:
    """List the patient's entries, newest first."""
    withdrawn = list_withdrawn(records)
    for record in reversed(records):
        if record.kind == WITHHELD:
            st.error(plain(record.text))
            continue
        verb = {"withdrawal": "of", "reinstatement": "of"}.get(record.kind, "corrects")
        corrects = f", {verb} entry {record.corrects}" if record.corrects else ""
        corrects += ", withdrawn" if record.number in withdrawn else ""
        time = record.time_utc[:16].replace("T", " ")
        st.markdown(f"**{KINDS[record.kind]} {record.number}{corrects}** · {plain(record.author)} · {time} UTC")
        st.text(_describe(record))


def _describe(record: Record) -> str:
    if record.kind == "registered" and record.probability is not None:
        return f"{format_percent(record.probability)} high Ki-67, bundle {record.bundle}"
    if not record.details:
        return f"Reason: {record.text}"
    values = json.loads(record.details)
    words = [f"{COLUMNS[name].label}: {describe_value(name, value)}" for name, value in values.items()]
    return "\n".join([*(words or ["withdrawn"]), *([f"Reason: {record.text}"] if record.text else [])])

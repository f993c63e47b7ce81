"""The Model page's choice of the bundle that answers: side by side, put into use, taken back, updated; its history."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import pandas as pd
import streamlit as st

from core.errors import ModelError
from core.evaluation.estimate import write_estimate, write_number, write_p
from core.inference.trust import load_bundle
from core.plain_text import plain, plain_table
from core.register.bundles.folder import find_bundles_folder, read_bundles
from core.register.bundles.use import BundleUse, Chosen, describe_entry, put_into_use, take_back
from core.register.database import find_database
from core.register.outcome_entry import Author
from core.training.update.comparison import SideBySide, compare_bundles
from core.ui.errors import guard
from core.ui.export import offer_csv
from core.ui.login import User
from core.ui.model.updating import ask_update, show_update
from core.ui.model.use import forget_use, get_use
from core.ui.page import mark_training
from core.ui.register.adding import ask_initials
from core.ui.register.database import get_store
from core.ui.resources import get_bundle
from models.bundle import Bundle

SAID, NOTE, CHOICE = "bundle_said", "bundle_note", "bundle_choice"
NO_FOLDER = (
    "Another bundle can be put into use here where whoever runs SonoKi names the folder of the bundles to choose from "
    "(`SONOKI_BUNDLES`)."
)
NO_PAIR = (
    "No patient of the register has an outcome and an estimate that both bundles can be judged by: score the same "
    "patients with both, and add them to the register, before you decide."
)


def show_bundle_choice(user: User) -> None:
    """Say which bundle answers and since when; an admin may put another one into use, or take it back."""
    folder = find_bundles_folder()
    if folder is None:
        if user.may("admin"):
            st.caption(NO_FOLDER)
        return
    st.header("Which bundle answers", anchor=False)
    use = get_use()
    current = _read_current()
    name = use.current.name or (current.name if current else "that of the setting")
    st.markdown(f"**{plain(name)}**" + (f", sha256 `{current.sha256[:16]}`." if current else ", which can't be read."))
    if use.records:
        _show_history(use)
    if SAID in st.session_state:
        st.markdown(st.session_state[SAID])
    if not user.may("admin"):
        return
    show_update(folder)
    author = Author(ask_initials(user), user.key, user.role)
    bundles, faults = read_bundles(folder)
    with st.expander("Put another bundle into use", expanded=st.session_state.get(CHOICE) is not None):
        for fault in faults:
            st.caption(f"Left out: {plain(fault)}")
        _ask_other([one for one in bundles if current is None or one.sha256 != current.sha256], current, author)
    if use.chosen:
        with st.expander("Take it back"):
            _ask_back(use, author)
    if current is not None:
        with st.expander("Update it on the register's patients"):
            ask_update(current, folder, author)


def _read_current() -> Bundle | None:
    try:
        return get_bundle()
    except ModelError:
        return None


def _show_history(use: BundleUse) -> None:
    sentences = [describe_entry(record) for record in use.records]
    st.caption(plain(f"Since {sentences[-1]}. {use.records[-1].text}"))
    table = pd.DataFrame(
        [(record.number, sentence, record.text) for record, sentence in zip(use.records, sentences, strict=True)][::-1],
        columns=["Entry", "Change", "Why"],
    )
    with st.expander(f"Changes of the bundle ({len(table)})"):
        st.table(plain_table(table), hide_index=True, alt="Bundles put into use and taken back, newest first")
        offer_csv(table, "bundle_changes", label="Changes (CSV)")


def _ask_other(others: Sequence[Bundle], current: Bundle | None, author: Author) -> None:
    if not others:
        st.markdown("The folder of `SONOKI_BUNDLES` holds no other bundle: an update of this one writes one.")
        return
    names = {one.sha256: f"{one.name} ({one.sha256[:12]})" for one in others}
    chosen = st.selectbox("Bundle", list(names), index=None, format_func=lambda sha256: names[sha256], key=CHOICE)
    other = next((one for one in others if one.sha256 == chosen), None)
    if other is None:
        return
    _describe(other)
    if current is not None:
        _show_side_by_side(current, other)
    before = Chosen(current.sha256, current.name) if current else get_use().current
    _ask_note("Put into use", author, partial(_put, get_use(), Chosen(other.sha256, other.name), before))


def _ask_back(use: BundleUse, author: Author) -> None:
    st.markdown(f"Then **{plain(use.before.name)}** answers again.")
    _ask_note("Take back", author, partial(_back, use))


def _ask_note(label: str, author: Author, change: Callable[[Author, str], str]) -> None:
    key = f"{NOTE}_{label}_{get_use().last}"
    note = st.text_area("Reason (kept in the record)", key=key, max_chars=500, height=68).strip()
    lacks = [words for words, given in (("your initials", author.name), ("the reason", note)) if not given]
    st.button(
        label,
        type="primary",
        disabled=bool(lacks),
        help=f"Give {' and '.join(lacks)} first." if lacks else None,
        on_click=guard(_change),
        args=(change, author, note),
    )


def _change(change: Callable[[Author, str], str], author: Author, note: str) -> None:
    try:
        st.session_state[SAID] = change(author, note)
    finally:
        forget_use()


def _put(seen: BundleUse, bundle: Chosen, before: Chosen, author: Author, note: str) -> str:
    record = put_into_use(get_store(), seen, bundle, before=before, author=author, note=note)
    st.session_state.pop(CHOICE, None)
    return f"**{plain(bundle.name)} is in use** on every page: entry {record.number}."


def _back(use: BundleUse, author: Author, note: str) -> str:
    record = take_back(get_store(), use, author=author, note=note)
    return f"**{plain(use.current.name)} was taken back**: entry {record.number}."


def _describe(other: Bundle) -> None:
    parents = ", ".join(f"{plain(name)} ({sha256[:12]})" for name, sha256 in other.manifest.parents)
    told = f"Made from {parents}. " if parents else ""
    st.markdown(f"{told}{plain(other.manifest.training_data.description)}{mark_training(other)}")


def _show_side_by_side(current: Bundle, other: Bundle) -> None:
    """Show both bundles on the same patients of the register."""
    folders = (current.folder, other.folder)
    found = _compare(find_database(), str(get_store().read_anchor()), (current.sha256, other.sha256), folders)
    if not found:
        st.markdown(NO_PAIR)
    for part in found:
        st.markdown(f"**{part.n:,} {part.patients}**, {part.events:,} with a high Ki-67")
        if part.is_fitted:
            st.caption("One of the bundles was fitted on these patients: its figures here are too good.")
        figures, calls = tabulate_figures(part), tabulate_calls(part)
        st.table(plain_table(figures), hide_index=True, alt=f"Figures of both bundles on {part.patients}")
        st.table(plain_table(calls), hide_index=True, alt=f"Calls of both bundles on {part.patients}")
        name = f"side_by_side_{'fitted' if part.is_fitted else 'other'}_{part.n}"
        with st.container(horizontal=True):
            offer_csv(figures, f"{name}_figures", label=f"Figures of {part.n} patients (CSV)")
            offer_csv(calls, f"{name}_calls", label=f"Calls of {part.n} patients (CSV)")
    st.caption("In brackets: 95 % interval. Calls are made at each bundle's own threshold. AUCs: paired DeLong test.")


@st.cache_resource(max_entries=4, show_spinner="Comparing both bundles on the register's patients")
def _compare(url: str, last: str, hashes: tuple[str, str], folders: tuple[Path, Path]) -> list[SideBySide]:  # noqa: ARG001 - hashed
    """Compare two bundles as the register of a database stands at its last entry."""
    current, other = map(load_bundle, folders)
    return compare_bundles(get_store(), current, other)


def tabulate_figures(part: SideBySide) -> pd.DataFrame:
    """Set the figures of both bundles side by side."""
    roc = part.roc
    gain = write_estimate(roc.difference, roc.ci, roc.reason, level=None)
    told = gain if roc.p is None else f"{gain}, {write_p(roc.p)}"
    rows = [("AUC", write_number(roc.auc_b), write_number(roc.auc_a), told)]
    pairs = {
        "Calibration intercept": ("intercept", "intercept_ci"),
        "Calibration slope": ("slope", "slope_ci"),
        "Observed over expected": ("oe", "oe_ci"),
    }
    for label, (value, interval) in pairs.items():
        now, then = (
            write_estimate(getattr(one, value), getattr(one, interval), level=None, digits=2)
            for one in (part.current, part.other)
        )
        rows.append((label, now, then, ""))
    rows.append(("Brier score", write_number(part.current.brier), write_number(part.other.brier), ""))
    return pd.DataFrame(rows, columns=["Figure", "Answers now", "The other", "Difference"])


def tabulate_calls(part: SideBySide) -> pd.DataFrame:
    """Count who is called otherwise, by outcome."""
    counts = part.reclassified.set_index(["outcome", "current", "other"])["n"]
    return pd.DataFrame(
        [
            {
                "Pathology": f"{outcome} Ki-67",
                "Both call low": counts[outcome, "low", "low"],
                "Both call high": counts[outcome, "high", "high"],
                "Low now, high by the other": counts[outcome, "low", "high"],
                "High now, low by the other": counts[outcome, "high", "low"],
            }
            for outcome in ("high", "low")
        ]
    )

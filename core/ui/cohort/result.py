"""How an evaluation page shows a subject: each exhibit with its figure, sentence, tables and files to take away."""

import datetime
import json
from collections.abc import Callable, Hashable, Mapping
from functools import partial
from typing import Protocol

import pandas as pd
import streamlit as st

from core import __version__
from core.cohort.columns import label_field
from core.evaluation.cohort.records import render_plain
from core.figures.cohort.exhibit import Exhibit, Patients, Subject
from core.figures.rendering import render_png, render_svg
from core.inference.render import RESEARCH_USE
from core.plain_text import plain, plain_figure, plain_table
from core.spreadsheet import render_csv
from core.ui.cohort.view import View, ask_for_slow, compute_once
from core.ui.errors import guard_file
from core.ui.export import PLAIN

MIME = {"csv": "text/csv", "svg": "image/svg+xml", "png": "image/png", "json": "application/json", "html": "text/html"}
KINDS = {"csv": "Data (CSV)", "svg": "Figure (SVG)", "png": "Figure (PNG)", "json": "Numbers (JSON)"}
NARROW, WIDE = 4, 7
Options = dict[str, Hashable]


class Origin(Protocol):
    """Patients that an exhibit is shown of, as its files name them."""

    @property
    def name(self) -> str:
        """The patients as sentences call them."""

    @property
    def identity(self) -> str:
        """Hash of what they were read from."""

    @property
    def is_simulated(self) -> bool:
        """Whether they are made up."""

    @property
    def count(self) -> int:
        """How many they are."""

    def render_input(self) -> dict[str, object]:
        """Say what was read, as JSON types."""


Ask = Mapping[type[Exhibit], Callable[[], Options]]


def show_subject(view: View, patients: Patients, subject: Subject, ask: Ask | None = None) -> None:
    """Show every exhibit of a subject, each computed once a session, and how they are made.

    `ask` draws the controls of an exhibit below its heading and gives its options, which hold for the later ones too.
    """
    said: set[str] = set()
    options: Options = {}
    for kind in filter(lambda kind: kind.applies(patients), subject.kinds):
        lack = kind.explain_lack(patients)
        if lack and lack not in said:
            st.info(plain(f"{lack} {_advise(kind, patients)}".strip()))
        said.add(lack)
        if not lack:
            if kind.title:
                st.header(kind.title, anchor=False)
            options |= ask[kind]() if ask and kind in ask else {}
            if not kind.ask or ask_for_slow(view, kind.name, kind.ask):
                exhibit = compute_once(view, kind.of, patients=patients, **options)
                show_exhibit(view, exhibit)
    show_method(subject.method)


def _advise(kind: type[Exhibit], patients: Patients) -> str:
    """Say what would bring an exhibit that can't be made."""
    if lacking := patients.find_lacking(*kind.needs):
        fields = " and ".join(map(label_field, lacking))
        return f"Needed: {fields}. If the file has it under another name, say so on the page Cohort."
    if kind.needs_groups and patients.threshold.threshold is None:
        return "If the probabilities are the bundle's, take its frozen threshold on the page Cohort."
    return ""


def show_exhibit(origin: Origin, exhibit: Exhibit) -> None:
    """Show an exhibit; small tables stand beside its figure, large ones below, the largest behind a click."""
    figure, tables = exhibit.figure(), exhibit.tables()
    beside = {words: table for words, table in tables.items() if figure is not None and len(table.columns) <= NARROW}
    left, right = st.columns([3, 2], gap="large") if beside else (st.container(), None)
    with left:
        if figure is not None:
            sentence = exhibit.sentence()
            st.plotly_chart(plain_figure(figure), key=f"figure_{exhibit.name}", alt=sentence, config=PLAIN)
        if exhibit.sentence():
            st.markdown(plain(exhibit.sentence()))
        _offer_files(origin, exhibit)
    for caution in exhibit.cautions():
        st.warning(plain(caution))
    for note in exhibit.notes():
        st.caption(plain(note))
    for number, (words, table) in enumerate(tables.items(), start=1):
        with right if right is not None and words in beside else st.container():
            is_wide = len(table.columns) > WIDE
            with st.expander(words) if is_wide else st.container():
                if not is_wide:
                    st.markdown(f"**{words}**")
                show_table(table, words)
                if not table.equals(exhibit.data()):
                    make = partial(render_data, origin, table)
                    offer_file(f"{exhibit.name}_table_{number}.csv", make, label="Table (CSV)")


def _offer_files(origin: Origin, exhibit: Exhibit) -> None:
    name, note = exhibit.name, describe_note(origin)
    files: dict[str, Callable[[], bytes]] = {"csv": lambda: render_data(origin, exhibit.data())}
    if (figure := exhibit.figure()) is not None:
        files |= {"svg": lambda: render_svg(figure, note=note), "png": lambda: render_png(figure, note=note)}
    files["json"] = lambda: render_json(origin, name, render_plain(exhibit.record()))
    with st.container(horizontal=True):
        for ending, make in files.items():
            if ending != "csv" or len(exhibit.data()):
                offer_file(f"{name}.{ending}", make, label=KINDS[ending])


def describe_origin(origin: Origin) -> dict[str, str]:
    """Say where an evaluation's file comes from; nothing in it tells a patient."""
    return {
        "patients": origin.name,
        "cohort_sha256": origin.identity,
        "simulated": "yes: SIMULATED patients" if origin.is_simulated else "no",
        "app_version": __version__,
        "created_utc": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "intended_use": RESEARCH_USE,
    }


def describe_note(origin: Origin) -> str:
    """Give the line that stands under a picture: which patients, simulated or not."""
    marked = "SIMULATED patients. " if origin.is_simulated else ""
    return f"{marked}{origin.name[:1].upper()}{origin.name[1:]}, n = {origin.count:,}. {RESEARCH_USE}"


def offer_file(name: str, make: Callable[[], bytes], *, label: str, prominent: bool = False) -> None:
    """Offer a file that is made when it is asked for."""
    st.download_button(
        label,
        guard_file(make),
        file_name=f"sonoki_{name}",
        mime=MIME[name.rsplit(".", 1)[1]],
        key=f"file_{name}",
        on_click="ignore",
        type="secondary" if prominent else "tertiary",
        help=f"sonoki_{name}",
    )


def render_data(origin: Origin, data: pd.DataFrame) -> bytes:
    """Write a table as CSV, its origin in columns of every row."""
    return render_csv(data.assign(**describe_origin(origin)))


def render_json(origin: Origin, name: str, record: object) -> bytes:
    """Write numbers as JSON with their origin and what was read."""
    own = record[name] if isinstance(record, dict) and set(record) == {name} else record
    whole = {"origin": describe_origin(origin), "input": origin.render_input(), name: own}
    return json.dumps(whole, indent=2, allow_nan=False).encode("utf-8")


def show_table(table: pd.DataFrame, alt: str) -> None:
    """Show a table that needs no scrolling of its own."""
    st.table(plain_table(table), hide_index=True, alt=alt)


def show_method(text: str) -> None:
    """Show how figures were made, behind a click."""
    with st.expander("Method"):
        st.markdown(text)

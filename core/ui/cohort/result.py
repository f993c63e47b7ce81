"""How an evaluation page shows a result: figure, and its data, picture and numbers to take away."""

import datetime
import json
from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from core import __version__
from core.evaluation.cohort.provenance import render_input
from core.plain_text import plain, plain_figure, plain_table
from core.spreadsheet import render_csv
from core.ui.cohort.view import View
from core.ui.errors import guard_file
from core.ui.export import PLAIN

MIME = {"csv": "text/csv", "svg": "image/svg+xml", "png": "image/png", "json": "application/json", "html": "text/html"}
KINDS = {"csv": "Data (CSV)", "svg": "Figure (SVG)", "png": "Figure (PNG)", "json": "Numbers (JSON)"}
USE = "Research use only; no medical device."
Draw = Mapping[str, Callable[..., bytes]]


def describe_origin(view: View) -> dict[str, str]:
    """Say where an evaluation's file comes from; nothing in it tells a patient.

    Parameters
    ----------
    view : View
        The patients.

    Returns
    -------
    dict of str to str
        patients, cohort_sha256, simulated, app_version, created_utc, intended_use.
    """
    return {
        "patients": view.name,
        "cohort_sha256": view.cohort.sha256,
        "simulated": "yes: SIMULATED patients" if view.cohort.is_simulated else "no",
        "app_version": __version__,
        "created_utc": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "intended_use": USE,
    }


def describe_note(view: View) -> str:
    """Give the line that stands under a picture: which patients, simulated or not."""
    marked = "SIMULATED patients. " if view.cohort.is_simulated else ""
    return f"{marked}{view.name[:1].upper()}{view.name[1:]}, n = {len(view.table):,}. {USE}"


def show_result(
    view: View,
    figure: go.Figure,
    *,
    name: str,
    alt: str,
    data: pd.DataFrame,
    record: object,
    draw: Draw,
) -> None:
    """Show a figure with its sentence, and offer data (CSV), picture and numbers (JSON).

    Parameters
    ----------
    view : View
        The patients.
    figure : Figure
        From `core.figures`.
    name : str
        Names the files; also the key.
    alt : str
        What it shows in words, with n and interval.
    data : DataFrame
        What it was drawn from.
    record : object
        The numbers as `python -m core evaluate --json` prints them.
    draw : mapping of str to callable
        Ending of a file to what draws the figure so.
    """
    st.plotly_chart(plain_figure(figure), key=f"figure_{name}", alt=alt, config=PLAIN)
    st.markdown(plain(alt))
    files: dict[str, Callable[[], bytes]] = {"csv": lambda: render_data(view, data)}
    files |= {ending: _bind(render, figure, describe_note(view)) for ending, render in draw.items()}
    files["json"] = lambda: render_json(view, name, record)
    with st.container(horizontal=True):
        for ending, make in files.items():
            offer_file(f"{name}.{ending}", make, label=KINDS[ending])


def offer_file(name: str, make: Callable[[], bytes], *, label: str, prominent: bool = False) -> None:
    """Offer a file that is made when it is asked for.

    Parameters
    ----------
    name : str
        Its name; also the key.
    make : callable
        Makes it.
    label : str
        Text of the button.
    prominent : bool
        Whether it is drawn as a button rather than as a link.
    """
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


def render_data(view: View, data: pd.DataFrame) -> bytes:
    """Write a table as CSV, its origin in columns of every row."""
    return render_csv(data.assign(**describe_origin(view)))


def render_json(view: View, name: str, record: object) -> bytes:
    """Write numbers as JSON with their origin and what was read."""
    record = {"origin": describe_origin(view), "input": render_input(view.cohort.read), name: record}
    return json.dumps(record, indent=2, allow_nan=False).encode("utf-8")


def show_table(table: pd.DataFrame, alt: str) -> None:
    """Show a table that needs no scrolling of its own."""
    st.table(plain_table(table), hide_index=True, alt=alt)


def show_method(text: str) -> None:
    """Show how figures were made, behind a click."""
    with st.expander("Method"):
        st.markdown(text)


def show_missing(results: Mapping[str, Any]) -> None:
    """Say in words why something is missing."""
    for what, reason in results.items():
        if reason:
            st.caption(plain(f"{what}: {reason}"))


def _bind(render: Callable[..., bytes], figure: go.Figure, note: str) -> Callable[[], bytes]:
    return lambda: render(figure, note=note)

"""The agreement of readers and model over the cohort, as a table with intervals."""

from collections.abc import Hashable, Mapping
from typing import Any

import pandas as pd
import streamlit as st

from core.spreadsheet import disarm_table
from core.ui.export import offer_csv


def show_agreement(found: pd.DataFrame, calls: pd.DataFrame) -> None:
    """Draw the table of `core.evaluation.compare_readers`, with the pairs that it was computed on."""
    st.header("Readers and model", anchor=False)
    if found.empty:
        st.caption(
            "No blinded readings yet. Turn on **Reading first** in the sidebar: you give your own estimate of each "
            "patient before the model's is shown, and the agreement (kappa) is then shown here."
        )
        return
    st.caption(
        "High or low by the bundle's threshold, in patients read before the model's estimate was shown; patients in "
        "the indeterminate range count by their side. Kappa after Cohen; 95 % intervals."
    )
    rows = [_write_row(row) for row in found.to_dict("records")]
    st.dataframe(
        disarm_table(pd.DataFrame(rows)), hide_index=True, alt="Agreement of readers, model and surgical Ki-67"
    )
    left, right = st.columns(2)
    with left:
        offer_csv(found, "board_agreement", label="Agreement (CSV)")
    with right:
        offer_csv(calls, "board_readings", label="Readings (CSV)")


def _write_row(row: Mapping[Hashable, object]) -> dict[str, object]:
    share = _write(row, "share", 100, "{:.0f} %", "{:.0f} to {:.0f} %")
    return {
        "Reader": row["author"],
        "Compared": row["pair"],
        "n": row["n"],
        "Alike": f"{row['agreed']} of {row['n']}, {share}" if row["n"] else "-",
        "Kappa": _write(row, "kappa", 1, "{:.2f}", "{:.2f} to {:.2f}"),
        "Why not": row["reason"] or "",
    }


def _write(row: Mapping[Hashable, Any], name: str, factor: float, one: str, two: str) -> str:
    value, low, high = (factor * float(row[key]) for key in (name, f"{name}_low", f"{name}_high"))
    if pd.isna(value):
        return "-"
    return one.format(value) + ("" if pd.isna(low) else f" ({two.format(low, high)})")

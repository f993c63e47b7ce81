"""What leaves the pages: figures with their data, and files that say where they come from."""

import datetime
import json
from typing import TYPE_CHECKING

import streamlit as st

from core import __version__
from core.errors import ModelError
from core.inference import Case, Prediction, View
from core.inference.render import RESEARCH_USE, describe_use, render_case
from core.spreadsheet import render_csv
from core.ui.errors import guard_file
from core.ui.resources import get_bundle
from models.bundle import Bundle

if TYPE_CHECKING:
    import pandas as pd

PLAIN = {"displayModeBar": False, "displaylogo": False}


def describe_provenance(bundle: Bundle) -> dict[str, str]:
    """Say where a file comes from: bundle, bundle_sha256, app_version, created_utc, intended_use."""
    now = datetime.datetime.now(datetime.UTC)
    return {
        "bundle": bundle.name,
        "bundle_sha256": bundle.sha256,
        "app_version": __version__,
        "created_utc": now.isoformat(timespec="seconds"),
        "intended_use": describe_use(bundle),
    }


def _describe_page() -> dict[str, str]:
    """Say where a page's table comes from; what tells of no estimate can be had where no bundle can be read."""
    try:
        return describe_provenance(get_bundle())
    except ModelError:
        return {"app_version": __version__, "intended_use": RESEARCH_USE}


def offer_csv(data: "pd.DataFrame", name: str, *, label: str) -> None:
    """Offer a table as CSV, with its provenance in columns of every row; it is written when it is asked for."""
    provenance = _describe_page()
    st.download_button(
        label,
        guard_file(lambda: render_csv(data.assign(**provenance))),
        file_name=f"sonoki_{name}.csv",
        mime="text/csv",
        key=f"csv_{name}",
        on_click="ignore",
        type="tertiary",
    )


def render_case_json(case: Case, prediction: Prediction, bundle: Bundle, *, simulated: bool) -> str:
    """Write a case's estimate as JSON with its inputs and provenance; no name of a file or patient is in it.

    It is what `python -m core predict --json` prints, with "case", "app_version" and "created_utc".
    """
    views = [_list_view(view) for view in case.views]
    shown = views[0] if len(views) == 1 else {"views": views}
    inputs = {"simulated_patient": simulated, **shown, "clinical": dict(case.clinical)}
    record = render_case(case, prediction, bundle) | describe_provenance(bundle) | {"case": inputs}
    record["bundle"] = {"name": bundle.name, "sha256": bundle.sha256}
    return json.dumps(record, indent=2, allow_nan=False)


def _list_view(view: View) -> dict[str, object]:
    frame, roi = view.frame, view.roi
    return {
        "file_sha256": frame.sha256,
        "frame_index": frame.frame_index,
        "frame_count": frame.frame_count,
        "frames_used": view.n_frames,
        "mm_per_px": frame.mm_per_px,
        "roi": [roi.x0, roi.y0, roi.x1, roi.y1],
        "plane": view.plane,
    }

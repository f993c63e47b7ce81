"""What all sessions share: the bundle, the worker that owns the network, the simulated patients."""

import io
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st
from PIL import Image

from core.clinical import M1_PREDICTORS, is_missing
from core.imaging.uploads import hold_file
from core.inference.queue.worker import Worker
from core.inference.trust import load_bundle
from core.settings import get_text_setting
from core.ui.image_source import Source
from core.ui.shared import Shared
from models.bundle import Bundle

if TYPE_CHECKING:
    from core.simulation import Cohort

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = 8
_WORKER = Shared(Worker, Worker.close)


def bundle_folder() -> Path:
    """Give the folder of the bundle that the pages show."""
    return ROOT / get_text_setting("bundle")


def get_bundle() -> Bundle:
    """Read and verify the bundle, once for all sessions; no torch comes with it.

    Returns
    -------
    Bundle
        The bundle of the setting "bundle".

    Raises
    ------
    ModelError
        If it is missing or damaged.
    """
    return _read_bundle(bundle_folder())


def get_worker() -> Worker:
    """Start the worker, once for all sessions; it loads the network in its own thread.

    Returns
    -------
    Worker
        Of the setting "bundle".
    """
    return _WORKER.get(bundle_folder())


def simulate_source(number: int) -> Source:
    """Give a simulated patient as an upload would come: a PNG, with its lesion box and clinical values."""
    table = get_simulated().table
    held_out = table[table["split"].isin(["test", "external"])]
    places = held_out.groupby("centre").cumcount().sort_values(kind="stable").index
    index = int(places[number - 1])
    row = table.loc[index]
    clinical = {name: row[name] for name in M1_PREDICTORS if not is_missing(row[name])}
    png, box = _render_simulated(index)
    return Source(hold_file(png), str(row["patient_id"]), box, clinical)


def draw_simulated(cohort: "Cohort", index: int) -> tuple[bytes, tuple[float, float, float, float]]:
    """Draw the frame of a row of the simulated cohort."""
    from core.simulation import render_patient  # noqa: PLC0415 - brings scipy
    from core.simulation.cohort import SEED  # noqa: PLC0415

    frame = render_patient(cohort, index, SEED)
    buffer = io.BytesIO()
    Image.fromarray(frame.pixels).save(buffer, format="PNG", compress_level=3)
    return buffer.getvalue(), frame.box


def get_simulated() -> "Cohort":
    """Simulate the cohort, once for all sessions."""
    from core.simulation.cohort import SEED  # noqa: PLC0415 - brings scipy and pandas

    return _simulate(SEED)


@st.cache_resource(max_entries=1, show_spinner="Simulating a cohort")
def _simulate(seed: int) -> "Cohort":
    from core.simulation import simulate_cohort  # noqa: PLC0415 - brings scipy and pandas

    return simulate_cohort(seed=seed)


@st.cache_resource(max_entries=8, show_spinner="Drawing a simulated patient")
def _render_simulated(index: int) -> tuple[bytes, tuple[float, float, float, float]]:
    return draw_simulated(get_simulated(), index)


@st.cache_resource(max_entries=1, show_spinner=False)
def _read_bundle(folder: Path) -> Bundle:
    return load_bundle(folder)

"""What all sessions share: the bundle, the worker that owns the network, the simulated patients."""

import io
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st
from PIL import Image

from core.clinical import M1_PREDICTORS, is_missing
from core.errors import ModelError
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
WORKERS = 2  # that of a bundle which is replaced ends what it has begun
_WORKER = Shared(lambda folder, _: Worker(folder), Worker.close, most=WORKERS)
Place = tuple[Path, str]
_OF_RUN: ContextVar[list[Place]] = ContextVar("bundle of the page's run")


def begin_run() -> None:
    """Let one bundle answer throughout the run of a page, whatever is put into use in the meantime."""
    _OF_RUN.set([])


def find_place() -> Place:
    """Give folder and hash of the bundle that answers; without a hash where nobody chose it by one."""
    found = _OF_RUN.get([])
    if not found:
        found.append(_find_place())
    return found[0]


def _find_place() -> Place:
    own = ROOT / get_text_setting("bundle")
    if not get_text_setting("bundles"):
        return own, ""
    from core.register.bundles.folder import find_bundle  # noqa: PLC0415 - only where bundles can be chosen
    from core.ui.model.use import get_use  # noqa: PLC0415 - brings the database

    current = get_use().current
    return (find_bundle(current.sha256, current.name, own), current.sha256) if current.sha256 else (own, "")


def get_bundle() -> Bundle:
    """Read and verify the bundle that answers, once for all sessions; no torch comes with it."""
    return _read_bundle(*find_place())


def get_worker() -> Worker:
    """Start the worker of the bundle that answers, once for all sessions; it loads the network in its own thread."""
    return _WORKER.get(*find_place())


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


@st.cache_resource(max_entries=4, show_spinner=False)
def _read_bundle(folder: Path, sha256: str) -> Bundle:
    bundle = load_bundle(folder)
    if sha256 and bundle.sha256 != sha256:
        raise ModelError("The bundle that was put into use was replaced in its folder: put the old one back.")
    return bundle

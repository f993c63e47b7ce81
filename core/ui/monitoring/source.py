"""What the monitoring page looks at: the register read on, the bundle and centre that were chosen, what was found."""

import datetime
from contextlib import suppress
from threading import Thread

import pandas as pd
import streamlit as st

from core.errors import AppError, InputError, ModelError, hide_faults
from core.inference.trust import load_bundle
from core.monitoring.monitor import Monitoring, Scope, list_bundles, monitor
from core.monitoring.reading import Estimates, RegisterReading
from core.monitoring.reference import Reference, read_reference
from core.monitoring.windows import By
from core.register.bundles.folder import find_bundle
from core.register.database import find_database
from core.settings import get_text_setting
from core.ui.register.availability import is_on
from core.ui.register.database import get_store
from core.ui.resources import ROOT, get_bundle
from core.ui.shared import Shared

_READING = Shared(lambda _: RegisterReading(get_store()), lambda _: None)
ALL, UNNAMED = "all", "not known"
WINDOWS: dict[By, str] = {"patients": "By 50 patients", "month": "By month"}


def read_estimates() -> Estimates:
    """Read what the register gained since it was read last, for all sessions; the first time with its progress."""
    place = st.empty()

    def watch(done: int, total: int) -> None:
        place.progress(
            done / total, f"Reading the register: {done:,} of {total:,} entries. What has been read is kept."
        )

    with st.spinner("Reading the register", show_time=True):
        estimates = _READING.get(find_database()).read(watch)
    place.empty()
    return estimates


def start_reading() -> None:
    """Read the register in the background, where there is one, so that the page has less to read, or nothing."""
    if is_on():
        Thread(target=_read_quietly, name="register", daemon=True).start()


def _read_quietly() -> None:
    with suppress(AppError), hide_faults("The register could not be read."):  # the page says it
        _READING.get(find_database()).read()


def ask_scope(estimates: Estimates) -> Scope:
    """Ask for bundle, centre and windows; at first the bundle in use, all centres, 50 patients."""
    bundles = list_bundles(estimates)
    own = get_bundle().sha256
    names = {sha256: f"{name} {sha256[:8]}{' (in use)' if sha256 == own else ''}" for sha256, name in bundles.items()}
    hashes = sorted(names, key=lambda sha256: sha256 != own)
    left, middle, right = st.columns([3, 2, 3], vertical_alignment="bottom")
    bundle = left.selectbox("Bundle", hashes, format_func=names.__getitem__, key="monitoring_bundle")
    is_meant = (estimates.table["bundle_sha256"] == bundle).to_numpy()
    centres = [ALL, *sorted(estimates.table["centre"][is_meant].astype(str).unique())]
    centre = middle.selectbox("Centre", centres, format_func=lambda name: name or UNNAMED, key="monitoring_centre")
    by = right.segmented_control(
        "Windows",
        list(WINDOWS),
        default="patients",
        format_func=WINDOWS.__getitem__,
        required=True,
        key="monitoring_by",
    )
    return Scope(bundle, None if centre == ALL else centre, by)


def watch_bundle(estimates: Estimates, scope: Scope) -> Monitoring:
    """Give what was found of the estimates, computed once for all sessions until the next entry or day."""
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    chosen = (scope.bundle_sha256, scope.centre, scope.by)
    found = _watch(find_database(), str(estimates.last), get_bundle().sha256, chosen, today)
    if found is None:
        raise InputError("There is no estimate of this bundle and centre; choose another.")
    return found


@st.cache_resource(max_entries=16, show_spinner="Computing")
def _watch(
    url: str,
    last: str,  # noqa: ARG001 - hashed
    bundle_sha256: str,
    chosen: tuple[str, str | None, By],
    today: str,
) -> Monitoring | None:
    """Watch a database as it stands at its last entry, which is read already."""
    estimates = _READING.get(url).read()
    reference = _read_reference(chosen[0], bundle_sha256)
    return monitor(estimates, Scope(*chosen), reference, today=pd.Timestamp(today))


@st.cache_resource(max_entries=4, show_spinner=False)
def _read_reference(sha256: str, in_use: str) -> Reference:
    """Read what a bundle was trained on; where its folder is not to be found, take that of the one in use."""
    if sha256 == in_use:
        return read_reference(get_bundle())
    try:
        return read_reference(load_bundle(find_bundle(sha256, "", ROOT / get_text_setting("bundle"))))
    except ModelError:
        return read_reference(get_bundle())

"""The cohort that all pages judge the model on: the bundle's own at once, or an uploaded prediction table."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from core.cohort import PredictionTable, read_predictions
from core.errors import ModelError, WorkError
from core.figures.evidence import PREDICTIONS, name_cohort
from core.ui.cohort.session import change_own, get_own
from core.ui.cohort.state import TableRead
from core.ui.login import has_role
from core.ui.register.availability import is_on
from core.ui.resources import get_bundle
from models.bundle import Bundle
from models.cutoff import Cutoff

if TYPE_CHECKING:
    from core.cohort.scoring.job import ScoringJob

CHOICE, BORROW = "cohort_choice", "cohort_borrow"
SHIPPED_LABEL, UPLOADED_LABEL, REGISTER_LABEL = "The bundle's own cohort", "The uploaded cohort", "The register"


@dataclass(frozen=True, eq=False)
class Cohort:
    """Patients with predictions and outcomes."""

    title: str  # as sentences call it: "the simulated cohort"
    read: PredictionTable  # checked rows, refused rows, notes
    sha256: str  # hash of the file
    is_simulated: bool  # whether its patients are made up
    threshold: tuple[float, str] | None  # threshold fixed beforehand, and the data that it was chosen on

    @property
    def table(self) -> pd.DataFrame:
        """One row per patient."""
        return self.read.table

    @property
    def key(self) -> tuple[object, ...]:
        """What tells this cohort from any other."""
        return (self.sha256,)


def get_cohort() -> Cohort | None:
    """Give the cohort that was chosen; at first the bundle's own."""
    if st.session_state.get(CHOICE) == REGISTER_LABEL and (register := get_register()) is not None:
        return register
    uploaded = get_uploaded()
    if uploaded is not None and st.session_state.get(CHOICE) != SHIPPED_LABEL:
        return uploaded
    return get_shipped() or uploaded


def get_shipped() -> Cohort | None:
    """Give the bundle's own cohort, or None if there is none."""
    try:
        bundle = get_bundle()
    except ModelError:
        return None
    if PREDICTIONS not in bundle.manifest.files:
        return None
    sha256 = bundle.manifest.files[PREDICTIONS]
    manifest = bundle.manifest
    return Cohort(
        title=name_cohort(bundle),
        read=_read_evidence(bundle.folder / PREDICTIONS, sha256, bundle.cutoff),
        sha256=sha256,
        is_simulated=bundle.is_simulated,
        threshold=(manifest.call_rule.threshold, manifest.chosen_on),
    )


def get_uploaded() -> Cohort | None:
    """Give the uploaded cohort of this session, or None."""
    own = get_own()
    return None if own.read is None else Cohort("the uploaded cohort", own.read, own.sha256, False, borrow_threshold())


def list_choices() -> list[str]:
    """List the cohorts that there are."""
    cohorts = {SHIPPED_LABEL: get_shipped() is not None, UPLOADED_LABEL: get_uploaded() is not None}
    return [label for label, is_there in (cohorts | {REGISTER_LABEL: _has_register()}).items() if is_there]


def get_register() -> Cohort | None:
    """Give the register's patients to who may see patients, or None if there are none."""
    if not _may_see_register():
        return None
    from core.ui.cohort.register import read_register  # noqa: PLC0415 - brings the database

    found, prospective = read_register()
    if found is None:
        return None
    title = f"the register ({'prospective estimates' if prospective else 'prospective and other estimates'})"
    threshold = (found.threshold, f"the development data of the bundle {found.bundle}")
    return Cohort(title, found.read, found.read.reading.sha256, found.is_simulated, threshold)


def _may_see_register() -> bool:
    return is_on() and has_role("clinician")


def _has_register() -> bool:
    """Whether there is a register to choose; one that can't be read says so only to whoever chooses it."""
    if not _may_see_register():
        return False
    from core.ui.cohort.register import has_estimates  # noqa: PLC0415 - brings the database

    try:
        return has_estimates()
    except WorkError:
        return True


def keep_uploaded(read: PredictionTable, sha256: str, package: "ScoringJob | None" = None) -> None:
    """Keep an uploaded table for this session and choose it; with the package that it was scored from, if it was."""
    change_own(TableRead(read, sha256, package))
    st.session_state[CHOICE] = UPLOADED_LABEL


def get_package(cohort: Cohort) -> "ScoringJob | None":
    """Give the package that an uploaded cohort was scored from, or None if it came as a table."""
    own = get_own()
    return own.package if own.sha256 == cohort.sha256 else None


def get_scoring_bundle() -> Bundle:
    """Give the bundle that scored the session's package, else the one that answers; another may by now."""
    package = get_own().package
    return get_bundle() if package is None else package.bundle


def name_borrowing(bundle: Bundle) -> str:
    """Name the switch that says an uploaded table's probabilities are a bundle's."""
    return f"{BORROW}_{bundle.sha256[:12]}"


def borrow_threshold() -> tuple[float, str] | None:
    """Give the bundle's threshold if the uploaded probabilities are said to be the bundle's."""
    try:
        bundle = get_scoring_bundle()
    except ModelError:
        return None
    if not st.session_state.get(name_borrowing(bundle)):
        return None
    manifest = bundle.manifest
    return manifest.call_rule.threshold, f"the bundle's {manifest.chosen_on}"


@st.cache_resource(max_entries=1, show_spinner="Reading the cohort")
def _read_evidence(path: Path, sha256: str, cutoff: Cutoff) -> PredictionTable:  # noqa: ARG001 - hashed
    """Read the evidence once for all sessions; nobody changes the table."""
    return read_predictions(path, cutoff=cutoff)

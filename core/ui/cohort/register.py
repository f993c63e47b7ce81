"""The register as the cohort that the pages judge the model on."""

import streamlit as st

from core.evaluation.cohort.register import RegisterCohort, make_cohort
from core.register.chain import hash_json
from core.register.database import find_database
from core.register.listing import has_estimate
from core.register.patients import tabulate_register
from core.ui.register.database import get_store
from core.ui.resources import get_bundle
from models.cutoff import Cutoff

TOO = "cohort_register_too"


def read_register() -> tuple[RegisterCohort | None, bool]:
    """Give the register's patients, and whether all of their estimates are prospective."""
    bundle, prospective = get_bundle(), _is_prospective()
    last = str(get_store().read_anchor())
    return _read(find_database(), last, bundle.sha256, bundle.cutoff, prospective), prospective


def has_estimates() -> bool:
    """Whether there is an estimate that counts; only choosing the register reads it and verifies its chain."""
    return has_estimate(get_store(), prospective=_is_prospective())


def ask_register() -> None:
    """Ask whether estimates made after the outcome was entered count too."""
    st.toggle(
        "Include estimates made after the outcome was entered (not prospective)", key=TOO, persist_state="session"
    )


def _is_prospective() -> bool:
    return not st.session_state.get(TOO, False)


@st.cache_resource(max_entries=2, show_spinner="Reading the register")
def _read(url: str, last: str, bundle_sha256: str, cutoff: Cutoff, prospective: bool) -> RegisterCohort | None:
    """Read the register of a database as it stands at its last entry, once for all sessions; nobody changes it."""
    identity = hash_json([url, last, bundle_sha256, cutoff.to_json(), prospective])
    return make_cohort(
        tabulate_register(get_store()), bundle_sha256, cutoff, prospective=prospective, identity=identity
    )

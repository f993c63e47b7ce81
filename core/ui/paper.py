"""The paper of the bundle in use: made once for all sessions, with its progress, then downloaded."""

from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING

import streamlit as st

from core.errors import BusyError
from core.paper.archive import write_zip
from core.ui.errors import guard_file
from core.ui.waiting import begin_progress
from models.bundle import Bundle

if TYPE_CHECKING:
    from core.paper.files import Watch

BUSY = "The paper is being made for somebody else at the moment: press again in a minute."


@dataclass
class Made:
    """A bundle's paper once it is made."""

    lock: Lock = field(default_factory=Lock)
    archive: bytes = b""


def offer_paper(bundle: Bundle) -> None:
    """Offer the paper, or to make it."""
    made, place = _hold(bundle.sha256), st.empty()
    if not made.archive:
        if not place.button("Make the figures, tables and text of a paper"):
            return
        if not made.lock.acquire(blocking=False):
            raise BusyError(BUSY)
        try:
            bar = begin_progress(place, "The paper is being written")
            made.archive = _make(bundle, lambda done, total: bar.progress(done / total, f"{done} of {total} pieces"))
        finally:
            made.lock.release()
    with place.container():
        st.download_button(
            "Paper (ZIP)",
            guard_file(lambda: made.archive),
            file_name="sonoki_paper.zip",
            mime="application/zip",
            key="file_paper",
            on_click="ignore",
        )


def _make(bundle: Bundle, watch: "Watch") -> bytes:
    from core.paper.files import make_files  # noqa: PLC0415 - brings typst and python-docx
    from core.paper.paper import write_paper  # noqa: PLC0415
    from core.paper.study import read_study  # noqa: PLC0415

    return write_zip(make_files(write_paper(read_study(bundle.folder)), watch=watch))


@st.cache_resource(max_entries=1, show_spinner=False)
def _hold(sha256: str) -> Made:  # noqa: ARG001 - hashed
    return Made()

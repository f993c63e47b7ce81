"""Archive and case in two steps: which image of which study, and results on their way back."""

import datetime
from collections.abc import Callable
from typing import TypeVar

import streamlit as st

from core.archive.dicomweb.client import open_archive
from core.archive.dicomweb.records import InstanceReference, SeriesSummary, StudyList, StudyQuery, StudySummary
from core.archive.outbox import open_outbox
from core.errors import AppError
from core.imaging.uploads import hold_file
from core.plain_text import plain
from core.ui.archive.previews import PREVIEWS, show_previews
from core.ui.case.events import ImagesGiven, ReplaceAsked
from core.ui.case.image_input import add_source
from core.ui.case.session import change_case, get_case, note_saved
from core.ui.errors import guard
from core.ui.image_source import Source
from core.ui.session import name_owner

STUDIES, SERIES, FIRSTS, IMAGES = "archive_studies", "archive_series", "archive_firsts", "archive_images"
T = TypeVar("T")
ASKED, DAY_LENGTH = "archive_asked", 8
PATIENT_ID, ACCESSION, DATE, FAULT = "archive_patient_id", "archive_accession", "archive_date", "archive_fault"


def ask_study() -> None:
    """Draw the query, its answers to choose from, and the button that loads an image."""
    try:
        _ask_query()
        image = _ask_image()
        if image is None:
            return
        with st.container(horizontal=True):
            if st.button("Load this image", width="stretch"):
                _load(image)
            source = get_case().source
            is_archived = source is not None and source.is_archived
            if is_archived and st.button("Add it as a view of the same lesion", width="stretch"):
                add_source(_retrieve(image))
                st.rerun()
    except AppError as error:
        st.error(plain(error))


def offer_sending(export: Callable[[], dict[str, bytes]], *, is_archived: bool) -> None:
    """Draw the buttons that send results, and say what became of them.

    Parameters
    ----------
    export : callable
        Gives the results as files; called when they are sent.
    is_archived : bool
        Whether the case's image came from the archive.
    """
    outbox = open_outbox()
    waiting = len(outbox.list_waiting())
    if not is_archived:
        st.caption("Results go back to the archive where the image came from there.")
    asked = is_archived and st.button("Send results to the archive")
    again = waiting > 0 and st.button(f"Send the {waiting} results that wait")
    if not (asked or again):
        return
    try:
        archive = open_archive()
        if asked:
            outbox.put(export().values())
            note_saved()
        bar = st.progress(0.0, "Sending results")

        def show(done: int, total: int) -> None:
            bar.progress(done / total, f"{done} of {total} results")

        delivery = outbox.send(archive, show)
        bar.empty()
        (st.warning if delivery.waiting else st.info)(delivery.describe())
    except AppError as error:
        st.error(plain(error))


def _ask_query() -> None:
    """Draw the query, and what became of the last one."""
    with st.form("archive_query", border=False):
        st.text_input("Patient ID", max_chars=64, autocomplete="off", key=PATIENT_ID)
        st.text_input("Accession number", max_chars=16, autocomplete="off", key=ACCESSION)
        st.date_input("Date of the study", value=None, max_value=datetime.date.today(), key=DATE)
        st.form_submit_button("Find studies", on_click=guard(_find_studies), width="stretch")
    fault = st.session_state.pop(FAULT, None)
    if fault is not None:
        st.error(fault)


def _find_studies() -> None:
    """Ask the archive, and forget what was typed."""
    patient, accession, date = (st.session_state[name] for name in (PATIENT_ID, ACCESSION, DATE))
    st.session_state[PATIENT_ID], st.session_state[ACCESSION], st.session_state[DATE] = "", "", None
    for name in (STUDIES, SERIES, FIRSTS, IMAGES, PREVIEWS, ASKED):
        st.session_state.pop(name, None)
    try:
        _list_studies(StudyQuery(patient, accession, date))
    except AppError as error:
        st.session_state[FAULT] = str(error)


def _list_studies(query: StudyQuery, until: datetime.date | None = None) -> None:
    """Ask for studies; the query is kept as long as there are earlier ones to ask for."""
    studies = open_archive().find_studies(query, until=until)
    st.session_state[STUDIES], st.session_state[ASKED] = studies, query if studies.has_more else None


def _find_earlier() -> None:
    """Ask for the studies before the last one of the list."""
    query, studies = st.session_state[ASKED], st.session_state[STUDIES]
    try:
        _list_studies(query, datetime.datetime.strptime(studies[-1].date, "%Y%m%d").date())
    except AppError as error:
        st.session_state[FAULT] = str(error)


def _say_what_is_missing(studies: StudyList) -> None:
    """Say what the list does not show, and page on."""
    if studies.n_others:
        st.warning(f"The archive gave {studies.n_others} studies that were not asked for; they are left out.")
    if not studies.has_more:
        return
    st.caption(f"{len(studies)} of more than {len(studies)} studies, the latest first.")
    if studies and len({study.date for study in studies}) > 1 and len(studies[-1].date) == DAY_LENGTH:
        st.button("Earlier studies", on_click=guard(_find_earlier))
    else:
        st.caption("Give the patient ID or the accession number to see the others.")


def _ask_image() -> InstanceReference | None:
    """Draw studies, series and images to choose from."""
    studies: StudyList | None = st.session_state.get(STUDIES)
    if studies is None:
        return None
    _say_what_is_missing(studies)
    if not studies:
        st.info("The archive has no matching ultrasound study.")
        return None
    study = st.selectbox("Study", studies, format_func=lambda one: _describe_study(one, studies), key="archive_study")
    series = _recall(SERIES, study.uid, lambda: open_archive().list_series(study))
    if not series:
        st.info("The study has no ultrasound series.")
        return None
    if len(series) > 1:
        firsts = _recall(FIRSTS, study.uid, lambda: [open_archive().list_images(one)[:1] for one in series])
        show_previews({_describe_series(one): first[0] for one, first in zip(series, firsts, strict=True) if first})
    one = st.selectbox("Series", series, format_func=_describe_series, key="archive_one_series")
    images = _recall(IMAGES, one.uid, lambda: open_archive().list_images(one))
    if not images:
        st.info("The series has no image.")
        return None
    if len(images) > 1:
        show_previews({_describe_image(image, images): image for image in images})
    return st.selectbox("Image", images, format_func=lambda image: _describe_image(image, images), key="archive_image")


def _recall(name: str, uid: str, ask: Callable[[], list[T]]) -> list[T]:
    """Ask once for what belongs to a UID."""
    kept = st.session_state.get(name)
    if kept is None or kept[0] != uid:
        with st.spinner("Asking the archive"):
            kept = (uid, ask())
        st.session_state[name] = kept
    return list(kept[1])


def _load(image: InstanceReference) -> None:
    change_case(ReplaceAsked(ImagesGiven((_retrieve(image),))))
    st.rerun()


def _retrieve(image: InstanceReference) -> Source:
    with st.spinner("Retrieving the image"):
        data = open_archive().retrieve(image)
    return Source(hold_file(data, name_owner()), is_archived=True)


def _describe_study(study: StudySummary, studies: list[StudySummary]) -> str:
    day = study.date
    date = f"{day[:4]}-{day[4:6]}-{day[6:8]}" if len(day) == 8 else "date not known"
    return f"{studies.index(study) + 1}: {date}, {study.modalities or 'US'}"


def _describe_series(series: SeriesSummary) -> str:
    parts = (f"Series {series.number or '?'}", f"images: {series.n_images or '?'}", series.manufacturer)
    return ", ".join(part for part in parts if part)


def _describe_image(image: InstanceReference, images: list[InstanceReference]) -> str:
    frames = f", {image.n_frames} frames" if image.n_frames not in {"", "1"} else ""
    return f"{images.index(image) + 1}: image {image.number or '?'}{frames}"

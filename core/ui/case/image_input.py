"""Ask for images: uploads or a simulated patient, more views of the same lesion, and the ways to be rid of them."""

from collections.abc import Sequence

import streamlit as st

from core.errors import ImageError
from core.imaging.identity import name_different_patients
from core.imaging.uploads import hold_file
from core.ui.case.events import CaseEnded, EndAsked, EndRefused, ImagesGiven, ImagesRemoved, ViewsAdded
from core.ui.case.session import change_case, forget, get_case
from core.ui.case.state import MOST_VIEWS
from core.ui.errors import guard
from core.ui.image_source import Source
from core.ui.resources import EXAMPLES, simulate_source
from core.ui.session import name_owner
from core.ui.upload import take_uploads

PATIENT = "case_patient"
OTHER_PATIENT = (
    "These files name different patients, so they can't be views of one lesion. Give one patient's images alone."
)


def load_simulated_patient() -> None:
    """Take the simulated patient that is chosen in the list, else the first, with the clinical values filled in."""
    change_case(ImagesGiven((simulate_source(st.session_state.get(PATIENT, 1)),)))


def ask_source() -> Source | None:
    """Draw the two ways to an image, and the ways to be rid of it.

    Returns
    -------
    Source or None
        The first image as it came; None as long as there is none.
    """
    key = f"case_upload_{get_case().file_number}"
    st.file_uploader(
        "Ultrasound image: DICOM, PNG, JPEG, BMP or TIFF",
        key=key,
        accept_multiple_files=True,
        on_change=guard(_take_uploads),
        args=(key,),
        help="A still or a loop of the B-mode image; several files are views of one lesion. Measurements and names at "
        "the border are cut off. Files stay in the memory of this server for as long as they are shown here, and are "
        "not stored. New images begin a new case.",
    )
    choice, button = st.columns([3, 2], vertical_alignment="bottom")
    choice.selectbox(
        "Or a simulated patient",
        range(1, EXAMPLES + 1),
        format_func=lambda number: f"Patient {number}",
        key=PATIENT,
        persist_state="session",
    )
    button.button("Try this patient", on_click=guard(load_simulated_patient), width="stretch")
    source = get_case().source
    with st.container(horizontal=True):
        st.button("New case", on_click=guard(_ask_end), help="Forgets the images, their boxes and all clinical values.")
        if source is not None and not source.is_simulated:
            label = "Remove this image" if len(get_case().views) == 1 else "Remove all images"
            st.button(label, on_click=guard(change_case), args=(ImagesRemoved(),), type="tertiary")
    return source


def ask_more_views() -> None:
    """Draw the way to more views of the same lesion."""
    room = MOST_VIEWS - len(get_case().views)
    if room < 1:
        st.caption(f"A case takes {MOST_VIEWS} views.")
        return
    key = f"case_more_{get_case().file_number}"
    st.file_uploader(
        f"More views of the same lesion (up to {room})",
        key=key,
        accept_multiple_files=True,
        on_change=guard(_add_uploads),
        args=(key,),
    )


def add_source(source: Source) -> None:
    """Take one more image as a view of the case."""
    _check_patients([source])
    change_case(ViewsAdded((source,)))


def _take_uploads(key: str) -> None:
    sources = _hold(take_uploads(key), MOST_VIEWS)
    if sources:
        _check_patients(sources, is_new=True)
        change_case(ImagesGiven(sources))


def _add_uploads(key: str) -> None:
    sources = _hold(take_uploads(key), MOST_VIEWS - len(get_case().views))
    if sources:
        _check_patients(sources)
        change_case(ViewsAdded(sources))


def _hold(contents: Sequence[bytes], room: int) -> tuple[Source, ...]:
    if len(contents) > room:
        raise ImageError(f"{len(contents)} images came, and the case has room for {room}. Give fewer.")
    return tuple(Source(hold_file(content, name_owner())) for content in contents)


def _check_patients(sources: Sequence[Source], *, is_new: bool = False) -> None:
    """Refuse files that name different patients, or another one than the views of the case that they are added to."""
    views = () if is_new else get_case().views
    files = [*((view.source, view.item) for view in views), *((source, None) for source in sources)]
    if len(files) > 1 and name_different_patients((source.file.read(), item) for source, item in files):
        raise ImageError(OTHER_PATIENT)


def ask_end() -> None:
    """Ask whether the case may be forgotten, where that was asked for."""
    state = get_case()
    if not state.is_ending:
        return
    images = f"{len(state.views)} image{'s' if len(state.views) > 1 else ''}" if state.views else ""
    values = f"{len(state.values)} clinical value{'s' if len(state.values) > 1 else ''}" if state.values else ""
    lost = " and ".join(part for part in (images, values) if part)
    with st.container(border=True, horizontal=True, vertical_alignment="center"):
        st.markdown(f"**Begin a new case?** {lost} of this one are kept nowhere else: export first what you need.")
        st.button("Forget this case", type="primary", on_click=guard(_end_case))
        st.button("Keep it", on_click=guard(change_case), args=(EndRefused(),))


def _ask_end() -> None:
    if not change_case(EndAsked()).is_ending:
        forget("archive_")


def _end_case() -> None:
    change_case(CaseEnded())
    forget("archive_")

"""Ask for images: uploads or a simulated patient, more views of the same lesion, and the ways to be rid of them."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

import streamlit as st

from core.errors import ImageError
from core.imaging import inspect_image
from core.imaging.identity import name_different_patients
from core.imaging.uploads import hold_file
from core.ui.case.events import (
    CaseEnded,
    ImagesGiven,
    ImagesRemoved,
    ReplaceAgreed,
    ReplaceAsked,
    ReplaceRefused,
    ViewsAdded,
)
from core.ui.case.session import change_case, forget, get_case
from core.ui.case.state import MOST_VIEWS, CaseState, Event
from core.ui.errors import guard, guard_file
from core.ui.export import render_case_json
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
    change_case(ReplaceAsked(ImagesGiven((simulate_source(st.session_state.get(PATIENT, 1)),))))


def ask_source() -> Source | None:
    """Draw the two ways to an image, and the ways to be rid of it; give the first image as it came."""
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
        st.button("New case", on_click=guard(_ask_end), help="Forgets images, boxes and values; asks first.")
        if source is not None and not source.is_simulated:
            label = "Remove this image" if len(get_case().views) == 1 else "Remove all images"
            st.button(label, on_click=guard(change_case), args=(ReplaceAsked(ImagesRemoved()),), type="tertiary")
    return source


def ask_more_views() -> None:
    """Draw the way to more views of the same lesion."""
    room = MOST_VIEWS - len(get_case().views)
    if room < 1:
        st.caption(f"A case holds at most {MOST_VIEWS} views.")
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
    check_patients([*_list_there(), source])
    change_case(ViewsAdded((source,)))


def check_patients(sources: Sequence[Source]) -> None:
    """Refuse files that name different patients."""
    if len(sources) > 1 and name_different_patients((source.file.read(), source.item) for source in sources):
        raise ImageError(OTHER_PATIENT)


def _list_there() -> list[Source]:
    """Give the images of the case, each with the file of an archive that it is."""
    return [replace(view.source, item=view.item) for view in get_case().views]


def ask_replacement() -> None:
    """Ask whether the case may be lost, where another one is to take its place."""
    state, pending = get_case(), get_case().pending
    if pending is None:
        return
    with st.container(border=True):
        if state.is_unsaved:
            st.markdown(f"**Save or discard?** Not saved anywhere else: {_list_work(state)} of this case.")
        else:
            st.markdown("**This case is saved.** Go on to the next one?")
        with st.container(horizontal=True):
            if state.answer is not None and state.is_unsaved:
                answer, simulated = state.answer, state.source is not None and state.source.is_simulated
                render = partial(render_case_json, answer.case, answer.prediction, answer.bundle, simulated=simulated)
                st.download_button(
                    "Save the estimate (JSON), go on",
                    guard_file(render),
                    file_name="sonoki_estimate.json",
                    mime="application/json",
                    on_click=guard(_go_on),
                )
            st.button("Discard this case" if state.is_unsaved else "Go on", on_click=guard(_go_on))
            if state.values and not pending.apply(state).values and not isinstance(pending, CaseEnded):
                st.button("Same patient: keep the values", on_click=guard(_go_on), args=(True,))
            st.button("Back to this case", on_click=guard(change_case), args=(ReplaceRefused(),), type="primary")


def _list_work(state: CaseState) -> str:
    counted = ((len(state.views), "image"), (len(state.values) + (state.side is not None), "clinical value"))
    parts = ["the estimate"] if state.answer is not None else []
    parts += [f"{n} {name}{'s' if n > 1 else ''}" for n, name in counted if n]
    return " and ".join(filter(None, (", ".join(parts[:-1]), parts[-1])))


def _go_on(is_same_patient: bool = False) -> None:
    pending = get_case().pending
    change_case(ReplaceAgreed(is_same_patient))
    if isinstance(pending, CaseEnded):
        forget("archive_")


def _ask_end() -> None:
    if change_case(ReplaceAsked(CaseEnded())).pending is None:
        forget("archive_")


def _take_uploads(key: str) -> None:
    _take(take_uploads(key), (), lambda sources: ReplaceAsked(ImagesGiven(sources)))


def _add_uploads(key: str) -> None:
    _take(take_uploads(key), _list_there(), ViewsAdded)


def _take(contents: Sequence[bytes], there: Sequence[Source], make: Callable[[tuple[Source, ...]], Event]) -> None:
    """Take files as views, those of a zip archive one by one, as many as there is room for; name what is left."""
    found: list[tuple[str, Source]] = []
    said: list[str] = []
    for i, content in enumerate(contents, start=1):
        file, is_alone = hold_file(content, name_owner()), len(contents) == 1 and not there
        items, notes = (0, ()) if is_alone else _look_into(content)  # one archive alone: the page asks what it shows
        named = [(f"image {item + 1} of file {i}", Source(file, item=item)) for item in range(items)]
        found += named or [(f"file {i}", Source(file))]
        said += notes
    room = MOST_VIEWS - len(there)
    sources = tuple(source for _, source in found[:room])
    if not sources:
        return
    check_patients([*there, *sources])
    change_case(make(sources))
    if left := found[room:]:
        behind = f" and the {len(left) - 1} behind it" if len(left) > 1 else ""
        words = f"{len(sources)} of {len(found)} images were loaded: a case holds at most {MOST_VIEWS}."
        said.insert(0, f"{words} Not taken: {left[0][0]}{behind}.")
    if said:
        raise ImageError(" ".join(said))  # said by the page that is drawn next; the views are taken


def _look_into(content: bytes) -> tuple[int, tuple[str, ...]]:
    """Count the images of an archive, and give what is said of its other files; no images where it is none."""
    try:
        info = inspect_image(content)
    except ImageError:
        return 0, ()  # the view says why it can't be used
    return (len(info.items), info.notes) if len(info.items) > 1 else (0, ())

"""One image after the other: the proposed box is accepted or corrected, or the image skipped; saved at once."""

from collections.abc import Mapping

import streamlit as st

from core.cohort.boxes import BoxManifest, save_box
from core.errors import InputError, WorkError
from core.figures.case.frame import describe_frame
from core.imaging import Frame, Roi, read_frame
from core.inference.lesion_finder import propose_box
from core.plain_text import plain
from core.ui.boxes.session import Proposed, change_state, get_state
from core.ui.errors import guard
from core.ui.resources import get_worker
from core.ui.session import name_owner
from core.ui.viewer import Picture, show_viewer

HEIGHT = "clamp(300px, calc(100vh - 23.5rem), 1100px)"
GO = "boxes_go"
UNREADABLE = "The image file can't be read."


def show_progress(manifest: BoxManifest, reader: str) -> None:
    """Draw how far the reader is."""
    done, skipped = manifest.count(reader)
    total = len(manifest.rows)
    words = f"{done:,} of {total:,} done" + (f", {skipped:,} of them skipped" if skipped else "")
    st.progress(done / total, text=f"{words}. Every box is saved at once.")


def show_image(manifest: BoxManifest, reader: str) -> None:
    """Draw the image that is looked at, with its box and the way to the others."""
    place = min(max(get_state().place, 0), len(manifest.rows) - 1)
    row = manifest.rows[place]
    try:
        proposed = _read(manifest, place)
    except InputError as error:
        _show_way(manifest, place, reader, None)
        st.error(plain(str(error)))
        return
    frame = proposed.frame
    drawn = row.boxes.get(reader)
    box = proposed.box if drawn is None else frame.to_frame(drawn).rounded()
    _show_way(manifest, place, reader, frame.to_source(box))
    st.markdown(_describe(row.boxes, reader, proposed))
    show_viewer(
        Picture(frame, describe_frame(frame, box), box),
        key=f"boxes_picture_{place}",
        height=HEIGHT,
        on_box=guard(lambda roi: _save(place, reader, frame.to_source(_clip(roi, frame)))),
    )


def _clip(roi: Roi, frame: Frame) -> Roi:
    """Give the part of a box that lies in the frame."""
    return Roi(max(roi.x0, 0.0), max(roi.y0, 0.0), min(roi.x1, frame.width), min(roi.y1, frame.height))


def _read(manifest: BoxManifest, place: int) -> Proposed:
    """Decode an image and look for its lesion, unless that was done just now."""
    recent = get_state().recent
    kept = recent.get(place)
    if kept is not None:
        return kept
    with st.spinner("Reading the image"):
        try:
            data = manifest.find_image(place).read_bytes()
        except OSError:
            raise InputError(UNREADABLE) from None
        frame = read_frame(data)
        box, source = propose_box(frame, lambda frame: get_worker().find_lesions(frame, owner=name_owner()))
    proposed = Proposed(frame, box, source)
    recent.add(place, proposed)
    return proposed


def _describe(boxes: Mapping[str, Roi | None], reader: str, proposed: Proposed) -> str:
    """Say whose box is shown."""
    if reader in boxes:
        return "**Skipped** by you." if boxes[reader] is None else "**Your box**, saved."
    if proposed.source == "proposed":
        return "**Proposed box**, not yet yours: accept it, or correct it on the image."
    return "**No lesion was found**; the box is only a guess by brightness. Draw it, or skip the image."


def _show_way(manifest: BoxManifest, place: int, reader: str, box: Roi | None) -> None:
    row = manifest.rows[place]
    total = len(manifest.rows)
    st.header(f"Image {place + 1:,} of {total:,} · {plain(row.patient)}", anchor=False)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.button(
            "Accept",
            shortcut="a",
            type="primary",
            disabled=box is None,
            on_click=guard(_settle),
            args=(place, reader, box),
        )
        st.button("Skip", shortcut="s", on_click=guard(_settle), args=(place, reader, None))
        st.button("Previous", shortcut="PageUp", disabled=place == 0, on_click=guard(go), args=(place - 1,))
        st.button("Next", shortcut="PageDown", disabled=place == total - 1, on_click=guard(go), args=(place + 1,))
        left = manifest.list_open(reader)
        st.button("Next not done", shortcut="n", disabled=not left, on_click=guard(_go_on), args=(place, reader))
        st.number_input("Go to image", 1, total, place + 1, key=f"{GO}_{place}", on_change=guard(_jump), args=(place,))


def go(place: int) -> None:
    """Look at another image."""
    change_state(place=place)


def _jump(place: int) -> None:
    go(int(st.session_state[f"{GO}_{place}"]) - 1)


def _go_on(place: int, reader: str) -> None:
    """Go to the next image that is not done, from the front again behind the last."""
    manifest = get_state().manifest
    left = manifest.list_open(reader) if manifest is not None else []
    later = [other for other in left if other > place] or left
    if later:
        go(later[0])


def _settle(place: int, reader: str, box: Roi | None) -> None:
    """Save, and go on."""
    _save(place, reader, box)
    _go_on(place, reader)


def _save(place: int, reader: str, box: Roi | None) -> None:
    state = get_state()
    if state.manifest is None:
        raise WorkError("The manifest is no longer open. Open it again.")
    change_state(manifest=save_box(state.manifest, place, reader, box and box.rounded()), is_saved=False)

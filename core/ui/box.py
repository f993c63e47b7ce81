"""The lesion box: drawn with the mouse on the frame, or set by numbers."""

from collections.abc import Callable

import streamlit as st
from PIL import Image
from streamlit_image_coordinates import streamlit_image_coordinates

from core.imaging import Frame, Roi, default_roi
from core.imaging.calipers import find_calipers, remove_calipers
from core.ui.source import Source

BOX, OF, GUESS, PICTURE = "case_box", "case_box_of", "case_box_guess", "case_picture"
CLEAN = "case_clean"
EDGES = {"x0": "Left", "y0": "Top", "x1": "Right", "y1": "Bottom"}
LEAST = 4.0


def ask_box(source: Source, frame: Frame, render: Callable[[Frame, Roi], Image.Image]) -> Roi:
    """Show the frame and let the user draw the lesion box on it.

    Parameters
    ----------
    source : Source
        Where the frame comes from; a simulated patient has a box of its own.
    frame : Frame
        B-mode area.
    render : callable
        Paints a box on a frame.

    Returns
    -------
    Roi
        Lesion box in pixels of the frame.

    Raises
    ------
    ImageError
        If the numbers make no box.
    """
    file = (source.sha256, frame.origin, frame.width, frame.height)
    if st.session_state.get(OF) != file:
        known = frame.to_frame(Roi(*source.box)) if source.box else None
        _set_box(known or default_roi(frame))
        st.session_state[OF], st.session_state[GUESS] = file, None if known else _round(default_roi(frame))
    picture, numbers = st.container(), st.expander("Lesion box in numbers")
    with numbers:
        edges = _ask_edges(frame)
    roi = Roi(**edges)
    with picture:
        st.caption("Draw a box around the lesion: press at one corner, drag to the opposite one, let go.")
        streamlit_image_coordinates(
            render(frame, roi),
            width="stretch",
            key=PICTURE,
            click_and_drag=True,
            png_compression_level=1,
            cursor="crosshair",
            on_click=_take_drag,
        )
        st.caption(_describe(frame, roi))
        if roi == st.session_state[GUESS]:
            st.warning("This box is only a guess by brightness: check it, and draw it anew if it misses the lesion.")
    return roi


def ask_cleaning(frame: Frame, roi: Roi) -> Frame:
    """Offer to paint over caliper marks where there are any in or beside the box.

    Parameters
    ----------
    frame : Frame
        B-mode area.
    roi : Roi
        Lesion box.

    Returns
    -------
    Frame
        Without the marks, if that was chosen.
    """
    calipers = find_calipers(frame, roi)
    if calipers and st.toggle(f"Paint over {len(calipers)} caliper marks", key=CLEAN, persist_state="session"):
        return remove_calipers(frame, calipers)
    return frame


def scale_drag(drag: dict[str, float], width: int, height: int) -> Roi | None:
    """Turn a drag on the picture into a box on the frame.

    Parameters
    ----------
    drag : dict
        x1, y1, x2, y2 and the picture's width and height, in pixels of the screen.
    width, height : int
        Size of the frame.

    Returns
    -------
    Roi or None
        The box, cut at the frame's edges; None for a mere click.
    """
    across, down = width / max(drag["width"], 1), height / max(drag["height"], 1)
    xs = sorted(min(max(drag[name] * across, 0), width) for name in ("x1", "x2"))
    ys = sorted(min(max(drag[name] * down, 0), height) for name in ("y1", "y2"))
    if xs[1] - xs[0] < LEAST or ys[1] - ys[0] < LEAST:
        return None
    return Roi(xs[0], ys[0], xs[1], ys[1])


def _take_drag() -> None:
    """Take a new box before the page is drawn again."""
    drag, (_, _, width, height) = st.session_state[PICTURE], st.session_state[OF]
    roi = scale_drag(drag, width, height) if drag and "x2" in drag else None
    if roi:
        _set_box(roi)


def _set_box(roi: Roi) -> None:
    for name in EDGES:
        st.session_state[f"{BOX}_{name}"] = int(getattr(_round(roi), name))


def _round(roi: Roi) -> Roi:
    return Roi(round(roi.x0), round(roi.y0), round(roi.x1), round(roi.y1))


def _ask_edges(frame: Frame) -> dict[str, float]:
    columns = st.columns(4)
    edges = {}
    for column, (name, label) in zip(columns, EDGES.items(), strict=True):
        limit = frame.width if name.startswith("x") else frame.height
        edges[name] = float(
            column.number_input(f"{label} (px)", 0, limit, step=1, key=f"{BOX}_{name}", persist_state="session")
        )
    return edges


def _describe(frame: Frame, roi: Roi) -> str:
    box = f"Box {roi.width:.0f} x {roi.height:.0f} pixels"
    if frame.mm_per_px is None:
        return f"{box}. The file has no scale, so sizes in millimetres are not known."
    return f"{box}, {roi.width * frame.mm_per_px:.1f} x {roi.height * frame.mm_per_px:.1f} mm."

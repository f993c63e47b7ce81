"""The picture viewer as a Streamlit component; Konva draws, and nothing is asked from outside.

What comes back are boxes and points in pixels of the frame, never pixels.
"""

import base64
import io
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray
from PIL import Image

from core.imaging import Frame, Roi
from core.ui.errors import guard

FOLDER = Path(__file__).parent
MOST_BACK = 50


@dataclass(frozen=True)
class HeatLayer:
    """A heat map over the frame.

    Parameters
    ----------
    image : Image
        RGBA, coloured on the fixed scale.
    area : tuple of float
        Left, top, right and bottom edge in pixels of the frame.
    scale : str
        CSS background of the scale's bar.
    legend : str
        What the scale's ends mean, and the map in words; may have several lines.
    opacity : float
        0 to 1, to begin with.
    lines : sequence of (str, ndarray of float, (n, 2))
        Lines of equal value with their label; one that begins with a minus is dashed.
    """

    image: Image.Image
    area: tuple[float, float, float, float]
    scale: str
    legend: str
    opacity: float = 0.6
    lines: Sequence[tuple[str, NDArray[np.float64]]] = ()


@dataclass(frozen=True)
class Picture:
    """What the viewer shows.

    Parameters
    ----------
    frame : Frame
        B-mode area; its scale gives the ruler and lengths in millimetres.
    alt : str
        Alternative text.
    roi : Roi or None
        Lesion box.
    outlines : sequence of ndarray of float, (n, 2)
        Closed outlines, x and y in pixels of the frame.
    heat : HeatLayer or None
        Over the frame.
    """

    frame: Frame
    alt: str
    roi: Roi | None = None
    outlines: Sequence[NDArray[np.float64]] = ()
    heat: HeatLayer | None = None


@dataclass(frozen=True)
class Past:
    """Boxes of a picture before the present one, to be taken back; another area of the image has none."""

    area: Hashable
    boxes: tuple[Roi, ...] = ()
    now: Roi | None = None


def show_viewer(
    picture: Picture,
    *,
    key: str,
    height: str = "70vh",
    on_box: Callable[[Roi], None] | None = None,
    on_point: Callable[[float, float], None] | None = None,
    said: str = "",
) -> None:
    """Show a picture; the box can be drawn, moved and resized where a caller takes it, and taken back.

    Parameters
    ----------
    picture : Picture
        Frame with what lies on it.
    key : str
        Key of the element.
    height : str
        CSS height.
    on_box : callable, optional
        Takes the new box before the page is drawn again; without it the box is fixed.
    on_point : callable, optional
        Takes a click beside the box, x and y in pixels of the frame. Two clicks are two corners of a box, where the
        first did not move it.
    said : str
        What is said in the picture's corner of what was done last.
    """
    frame = picture.frame
    past = _remember(picture, f"{key}_past")

    def take_box() -> None:
        box = st.session_state[key].box
        if box and on_box:
            on_box(Roi(*(float(box[edge]) for edge in ("x0", "y0", "x1", "y1"))))

    def take_point() -> None:
        point = st.session_state[key].point
        if point and on_point:
            on_point(float(point["x"]), float(point["y"]))

    def take_back() -> None:
        past = st.session_state[f"{key}_past"]
        if past.boxes and on_box:
            st.session_state[f"{key}_past"] = replace(past, boxes=past.boxes[:-1], now=None)
            on_box(past.boxes[-1])

    roi, heat = picture.roi, picture.heat
    _component()(
        key=key,
        data={
            "src": _encode_frame(frame, key),
            "width": frame.width,
            "height": frame.height,
            "mmPerPx": frame.mm_per_px,
            "alt": picture.alt,
            "viewHeight": height,
            "box": None if roi is None else [round(edge) for edge in (roi.x0, roi.y0, roi.x1, roi.y1)],
            "editable": on_box is not None,
            "undoable": on_box is not None and bool(past.boxes),
            "pick": on_point is not None,
            "said": said,
            "outlines": [
                [[round(float(x), 1), round(float(y), 1)] for x, y in outline] for outline in picture.outlines
            ],
            "overlay": heat
            and {
                "src": _encode(heat.image),
                "area": list(heat.area),
                "scale": heat.scale,
                "legend": heat.legend,
                "opacity": heat.opacity,
                "lines": [
                    {"label": label, "points": np.round(points, 1).ravel().tolist()} for label, points in heat.lines
                ],
            },
        },
        on_box_change=guard(take_box),
        on_point_change=guard(take_point),
        on_undo_change=guard(take_back),
    )


@cache
def _component() -> Any:
    """Register the component once; the drawing library and the viewer are one script."""
    script = "\n".join((FOLDER / name).read_text(encoding="utf-8") for name in ("konva.min.js", "viewer.js"))
    return st.components.v2.component(
        "sonoki_viewer",
        html=(FOLDER / "viewer.html").read_text(encoding="utf-8"),
        css=(FOLDER / "viewer.css").read_text(encoding="utf-8"),
        js=script,
    )


def _remember(picture: Picture, name: str) -> Past:
    """Keep the box before, whatever has changed it since the picture was shown last, apart from taking back."""
    frame, roi = picture.frame, picture.roi
    area = (frame.sha256, frame.origin, frame.width, frame.height)
    past: Past = st.session_state.get(name, Past(area))
    if past.area != area:
        past = Past(area)
    if past.now is not None and past.now != roi:
        past = replace(past, boxes=(*past.boxes, past.now)[-MOST_BACK:])
    st.session_state[name] = past = replace(past, now=roi)
    return past


def _encode_frame(frame: Frame, key: str) -> str:
    """Encode a frame once as long as this element shows it."""
    kept = st.session_state.get(f"{key}_encoded")
    if kept is None or kept[0] is not frame.pixels:
        kept = st.session_state[f"{key}_encoded"] = (frame.pixels, _encode(Image.fromarray(frame.pixels)))
    return str(kept[1])


def _encode(image: Image.Image) -> str:
    buffer = io.BytesIO()
    image.save(buffer, format="PNG", compress_level=1)
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")

"""A page with nothing but the viewer, and what came back from it."""

from dataclasses import replace

import numpy as np
import streamlit as st
from PIL import Image

from core.imaging import Frame, Roi
from core.ui.browser import mind_browser
from core.ui.viewer import HeatLayer, Picture, show_viewer

PIXELS = (np.add.outer(np.arange(300), np.arange(400)) % 200).astype(np.uint8)


def take_box(roi: Roi) -> None:
    st.session_state["box"] = roi


def take_point(x: float, y: float) -> None:
    st.session_state["point"] = (x, y)


def take_number() -> None:
    if st.session_state["number"] is not None:
        take_box(replace(st.session_state["box"], x0=float(st.session_state["number"])))


roi = st.session_state.setdefault("box", Roi(100, 60, 200, 160))
heat = HeatLayer(Image.new("RGBA", (8, 8), (213, 94, 0, 128)), (80, 40, 220, 180), "#D55E00", "lowers 0 raises")
outlines = [np.array([[110, 70], [190, 80], [150, 150]]), np.array([[280, 180], [320, 190], [300, 220]])]
frame = Frame(PIXELS, 0.1, (0.0, 0.0), (1.0, 1.0), "0" * 64)
picture = Picture(frame, "Ultrasound image in grey", roi, outlines, heat)
pick = take_point if "pick" in st.query_params else None
show_viewer(
    picture,
    key=f"viewer_{st.session_state.get('shown', 0)}",
    height="500px",
    on_box=None if "fixed" in st.query_params else take_box,
    on_point=pick,
)
st.text("edges " + " ".join(f"{edge:.0f}" for edge in (roi.x0, roi.y0, roi.x1, roi.y1)))
st.text(f"point {st.session_state.get('point')}")
st.text_input("A field")
st.number_input("A number", 0, 400, None, key="number", on_change=take_number)
st.selectbox("A list", ["one", "two"])
st.button("Another box", on_click=take_box, args=(Roi(10, 20, 60, 70),))
st.button("Another picture", on_click=lambda: st.session_state.update(shown=1))
mind_browser()

"""The figures of one patient, as pictures: a browser draws one in a tenth of the time that a chart takes it."""

from typing import TYPE_CHECKING

import streamlit as st

from core.figures.rendering import render_svg
from core.ui.export import offer_csv
from core.ui.presenting import is_presenting

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

    from core.figures.theme import Theme

WIDE_PX, BOARD_PX, NARROW_PX = 445, 521, 366  # the column that holds them: Case and board at 1280 px, a phone


def draw_figure(figure: "go.Figure", *, key: str, alt: str, wide_px: int = WIDE_PX) -> None:
    """Draw a figure with its description, laid out for wide and for narrow screens; while presenting in large type.

    `wide_px` is the width of its column at 1280 px; which of the two is seen, `page.STYLE` says.
    """
    theme: Theme = "dark" if st.context.theme.type == "dark" else "light"
    widths = {"projected": NARROW_PX} if is_presenting() else {"wide": wide_px, "narrow": NARROW_PX}
    with st.container(key=f"drawn_{key}", gap=None):
        for name, width in widths.items():
            with st.container(key=f"{name}_{key}"):
                st.image(render_svg(figure, width=width, theme=theme).decode("utf-8"), alt=alt, width="stretch")


def show_figure(figure: "go.Figure", *, alt: str, data: "pd.DataFrame", name: str) -> None:
    """Draw a figure with its description for those who don't see it, and its data as CSV.

    The name of the file is its key too.
    """
    draw_figure(figure, key=f"figure_{name}", alt=alt)
    offer_csv(data, name, label="Data of this figure (CSV)")

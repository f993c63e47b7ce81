"""The picture of a patient of the board: the viewer with box and heat map, one view at a time."""

import streamlit as st

from core.figures.case.frame import describe_frame
from core.figures.case.heatmap import describe_heatmap
from core.inference.sentences import name_view
from core.plain_text import plain
from core.register.estimates import BoardEstimate
from core.ui.presenting import fit_height
from core.ui.viewer import Picture, show_viewer
from core.ui.viewer.heat import lay_heatmap

HEIGHT = "clamp(360px, calc(100vh - 21rem), 1100px)"


def show_picture(patient: str, read: BoardEstimate, *, is_hidden: bool, limit: float) -> int:
    """Show a patient's image, with the heat map unless the estimate is not to be seen yet."""
    if read.case is None:
        st.caption(plain(read.missing))
        return 0
    views = read.case.views
    chosen = 0 if len(views) < 2 else _ask_view(patient, [name_view(i, v) for i, v in enumerate(views, start=1)])
    view, alt, heat = views[chosen], describe_frame(views[chosen].frame, views[chosen].roi), None
    if read.shown is not None and not is_hidden:
        estimate = read.shown.views[chosen]
        alt, heat = f"{alt} {describe_heatmap(estimate, limit)}", lay_heatmap(estimate, limit=limit)
    show_viewer(
        Picture(view.frame, alt, view.roi, heat=heat),
        key=f"board_picture_{patient}_{chosen}",
        height=fit_height(HEIGHT),
    )
    if heat is not None and read.shown is not None and read.shown.applicability.status != "caution":
        st.caption(plain(" ".join(read.shown.applicability.reasons)))
    return chosen


def _ask_view(patient: str, names: list[str]) -> int:
    return int(
        st.segmented_control(
            "View",
            range(len(names)),
            default=0,
            required=True,
            format_func=lambda i: names[i].capitalize(),
            key=f"board_view_{patient}",
            label_visibility="collapsed",
        )
        or 0
    )

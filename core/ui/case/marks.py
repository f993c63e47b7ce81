"""Burned-in marks that weigh in the heat map: said below it, with the estimate after painting them over beside it."""

from dataclasses import replace

import streamlit as st

from core.imaging.findings.calipers import remove_calipers
from core.inference.explain import format_percent
from core.inference.marks import weigh_marks
from core.ui.case.estimate import identify
from core.ui.case.events import LesionRead
from core.ui.case.session import change_case, get_case
from core.ui.case.state import Answer
from core.ui.errors import report_errors
from core.ui.resources import get_worker
from core.ui.session import name_owner

LEAST_SHARE = 0.02


def show_marks(answer: Answer, number: int) -> None:
    """Say what burned-in marks of a view weigh, and what the estimate is without them."""
    at = answer.numbers.index(number)
    view, estimate = answer.case.views[at], answer.prediction.views[at]
    weight = weigh_marks(estimate, view.frame)
    if weight is None or weight.share < LEAST_SHARE:
        return
    said = f"Burned-in {weight.name} {weight.place} of the square carry {format_percent(weight.share)} of the heat map."
    if view.n_frames > 1:  # the mean of a loop stands beside no single frame
        st.caption(said)
        return
    with report_errors(stop=False):
        painted = replace(view, frame=remove_calipers(view.frame, weight.crosses, weight.words))
        reading = get_case().readings.get(identify(painted))
        if reading is None:
            reading = get_worker().read_image(painted.frame, painted.roi, owner=name_owner())
            change_case(LesionRead(identify(painted), reading))
        readings = [reading if i == at else other.reading for i, other in enumerate(answer.prediction.views)]
        views = tuple(painted if i == at else other for i, other in enumerate(answer.case.views))
        without = get_worker().predict(replace(answer.case, views=views), readings)
        said += f" With them painted over, the estimate is **{format_percent(without.probability)}**."
    st.caption(said)

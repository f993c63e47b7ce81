"""Decision curve: whether acting on the model is worth more than treating all or none."""

from functools import partial

from core.ui import begin_page

with begin_page("Decision curve"):
    from core.figures.cohort.decision_curve import DecisionCurveExhibit, GainExhibit
    from core.figures.cohort.subjects import DECISION_CURVE
    from core.ui.cohort.options import ask_benefit, ask_other
    from core.ui.cohort.result import show_subject
    from core.ui.cohort.threshold import ask_threshold
    from core.ui.cohort.view import ask_view

    view = ask_view()
    patients = view.at(ask_threshold(view))
    ask = {DecisionCurveExhibit: partial(ask_benefit, view), GainExhibit: partial(ask_other, view)}
    show_subject(view, patients, DECISION_CURVE, ask)

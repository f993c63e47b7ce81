"""Discrimination: whether the probability tells high from low."""

from core.ui import begin_page

with begin_page("Discrimination"):
    from core.figures.cohort.subjects import DISCRIMINATION
    from core.ui.cohort.result import show_subject
    from core.ui.cohort.threshold import ask_threshold
    from core.ui.cohort.view import ask_view

    view = ask_view()
    show_subject(view, view.at(ask_threshold(view)), DISCRIMINATION)

"""Calibration: whether the probabilities hold."""

from core.ui import begin_page

with begin_page("Calibration"):
    from core.figures.cohort.correction import RecalibrationExhibit
    from core.figures.cohort.subjects import CALIBRATION
    from core.ui.cohort.options import ask_update
    from core.ui.cohort.result import show_subject
    from core.ui.cohort.threshold import find_threshold
    from core.ui.cohort.view import ask_view

    view = ask_view()
    show_subject(view, view.at(find_threshold(view)), CALIBRATION, {RecalibrationExhibit: ask_update})

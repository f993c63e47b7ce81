"""Survival: whether the predicted groups differ in recurrence."""

from functools import partial

from core.ui import begin_page

with begin_page("Survival"):
    from core.figures.cohort.subjects import SURVIVAL
    from core.figures.cohort.survival.kaplan_meier import KaplanMeierExhibit
    from core.figures.cohort.survival.recurrence import RecurrenceBenefitExhibit
    from core.ui.cohort.groups import ask_groups, ask_horizon
    from core.ui.cohort.result import show_subject
    from core.ui.cohort.threshold import find_threshold
    from core.ui.cohort.view import ask_view

    view = ask_view()
    threshold = find_threshold(view)
    ask = {
        KaplanMeierExhibit: partial(ask_groups, view, threshold),
        RecurrenceBenefitExhibit: partial(ask_horizon, view),
    }
    show_subject(view, view.at(threshold), SURVIVAL, ask)

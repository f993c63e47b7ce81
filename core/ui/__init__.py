"""The only Streamlit below the pages."""

from core.ui.case.box import ask_box, ask_cleaning
from core.ui.case.estimate import ask_readings, settle_answer
from core.ui.case.form import ask_clinical, show_questions, show_unknown
from core.ui.case.frames import ask_frame, refuse_picture
from core.ui.case.image_input import ask_source, load_simulated_patient
from core.ui.case.proposal import ask_lesion, find_proposal
from core.ui.case.result import open_answer, show_applicability, show_headline, show_limits, show_secondary
from core.ui.errors import guard_file, report_errors
from core.ui.export import describe_provenance, offer_csv, render_case_json
from core.ui.page import begin_page
from core.ui.resources import get_bundle, get_worker

__all__ = [
    "ask_box",
    "ask_cleaning",
    "ask_clinical",
    "ask_frame",
    "ask_lesion",
    "ask_readings",
    "ask_source",
    "begin_page",
    "describe_provenance",
    "find_proposal",
    "get_bundle",
    "get_worker",
    "guard_file",
    "load_simulated_patient",
    "offer_csv",
    "open_answer",
    "refuse_picture",
    "render_case_json",
    "report_errors",
    "settle_answer",
    "show_applicability",
    "show_headline",
    "show_limits",
    "show_questions",
    "show_secondary",
    "show_unknown",
]

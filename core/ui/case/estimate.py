"""The estimate of a case: one pass of the network at the button, then an answer to every change of the form."""

import hashlib

import streamlit as st

from core.imaging import Frame, Roi
from core.inference import Case, ImageReading
from core.ui.case.form import Form
from core.ui.case.session import change_case, get_case
from core.ui.case.state import Answer, Answered, LesionRead
from core.ui.resources import get_worker
from core.ui.session import name_owner
from core.ui.waiting import forget_turn, is_waiting, take_turn

READING = "case_reading"
MOVED = "The image or its box has changed: press **Estimate** again. What stands here is of the image and box before."
NO_BOX = "The image or its box can't be used as it stands. What stands here is of the image and box before."
WRONG_VALUE = (
    "A value of the form can't be used: correct it where it is marked. What stands here is of the values before."
)
NO_IMAGE, WRONG = "Give an image first.", "Correct the marked value first."
WORDS = "Reading the lesion; the first time, the model is loaded"


def ask_reading(pictured: tuple[Frame, Roi] | None, *, is_ready: bool) -> ImageReading | None:
    """Draw the button, and give what the network read from this frame and box.

    Parameters
    ----------
    pictured : tuple of (Frame, Roi) or None
        B-mode area and lesion box; None where there is none that can be used.
    is_ready : bool
        Whether the clinical values can be used.

    Returns
    -------
    ImageReading or None
        None as long as the button was not pressed for this frame and box.
    """
    why = NO_IMAGE if pictured is None else None if is_ready else WRONG
    pressed = st.button("Estimate", type="primary", width="stretch", disabled=why is not None, help=why)
    if pictured is None:
        forget_turn(READING)
        return None
    key, owner = identify(*pictured), name_owner()
    if pressed or is_waiting(READING, key):
        reading = take_turn(READING, key, lambda: get_worker().begin_reading(*pictured, owner=owner), WORDS)
        change_case(LesionRead(key, reading))
    else:
        forget_turn(READING)
    return get_case().readings.get(key)


def settle_answer(
    pictured: tuple[Frame, Roi] | None, form: Form, reading: ImageReading | None
) -> tuple[Answer | None, str]:
    """Give the estimate to show: the present one, or the last one of this case with the reason.

    Parameters
    ----------
    pictured : tuple of (Frame, Roi) or None
        B-mode area and lesion box; None where they can't be used as they stand.
    form : Form
        Clinical values.
    reading : ImageReading or None
        What the network read from this frame and box.

    Returns
    -------
    Answer or None
        The estimate; None where there is none in this case yet.
    str
        Why it is an earlier one; empty where it is the present one.
    """
    if pictured is not None and reading is not None and not form.faults:
        prediction = get_worker().predict(Case(*pictured, form.values), reading)
        answer = Answer(identify(*pictured), *pictured, form.values, prediction)
        change_case(Answered(answer))
        return answer, ""
    last = get_case().answer
    if last is None:
        return None, ""
    reasons = [NO_BOX] if pictured is None else [] if reading is not None else [MOVED]
    reasons += [WRONG_VALUE] if form.faults else []
    return last, " ".join(reasons)


def identify(frame: Frame, roi: Roi) -> tuple[object, ...]:
    """Tell apart what the network would see; files of one archive share the archive's hash, so the pixels count."""
    return (hashlib.sha256(frame.pixels.tobytes()).hexdigest(), frame.width, roi)

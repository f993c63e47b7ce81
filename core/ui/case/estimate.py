"""The estimate of a case: one pass of the network at the button, then an answer to every change of the form."""

import hashlib
from collections.abc import Mapping
from functools import partial

import streamlit as st

from core.inference import Case, ImageReading, View
from core.plain_text import plain
from core.ui.case.events import Answered, LesionRead
from core.ui.case.form import Form
from core.ui.case.session import change_case, get_case
from core.ui.case.state import Answer
from core.ui.resources import get_bundle, get_worker
from core.ui.session import name_owner
from core.ui.waiting import begin_turn, forget_turn, is_waiting, take_turn

READING = "case_reading"
MOVED = (
    "The image or its box has changed: press **Estimate** again. The estimate shown is of the previous image and box."
)
CHANGED = (
    "Another bundle, **{name}**, has been put into use: press **Estimate** again. The estimate shown is of the bundle "
    "{before}."
)
NO_BOX = "The image or its box can't be used as it stands. The estimate shown is of the previous image and box."
WRONG_VALUE = (
    "A value of the form can't be used: correct it where it is marked. The estimate shown is of the previous values."
)
NO_IMAGE, WRONG = "Load an image first.", "Correct the marked value first."
WORDS = "Reading the lesion; the first time, the model is loaded"


def ask_readings(
    views: Mapping[int, View] | None, *, means: Mapping[int, ImageReading], is_ready: bool
) -> dict[int, ImageReading] | None:
    """Draw the button, and give what the network read from these frames and boxes, by the view's number.

    None as long as it was not pressed for them, or while a view or a clinical value can't be used; `means` holds the
    readings of loops whose mean over frames is asked for.
    """
    why = NO_IMAGE if views is None else None if is_ready else WRONG
    pressed = st.button("Estimate", type="primary", width="stretch", disabled=why is not None, help=why)
    if views is None:
        _give_up()
        return None
    keys = {number: identify(view) for number, view in views.items() if number not in means}
    if pressed or any(is_waiting(name_turn(number), key) for number, key in keys.items()):
        _read({number: views[number] for number in keys}, keys)
    else:
        _give_up()
    known = get_case().readings
    if not all(key in known for key in keys.values()):
        return None
    return {number: means[number] if number in means else known[keys[number]] for number in views}


def settle_answer(
    views: Mapping[int, View] | None, form: Form, readings: Mapping[int, ImageReading] | None, *, side: str | None
) -> tuple[Answer | None, str]:
    """Give the estimate to show and why it is an earlier one.

    It is None where the case has none yet; the reason is empty where the estimate is of the present inputs.
    """
    if views is not None and readings is not None and not form.faults:
        case = Case(tuple(views.values()), form.values, side)
        prediction = get_worker().predict(case, list(readings.values()))
        answer = Answer(tuple(map(identify, case.views)), tuple(views), case, prediction, get_bundle())
        change_case(Answered(answer))
        return answer, ""
    last = get_case().answer
    if last is None:
        return None, ""
    moved = MOVED
    if last.bundle.sha256 != get_bundle().sha256:
        moved = CHANGED.format(name=plain(get_bundle().name), before=plain(last.bundle.name))
    reasons = [NO_BOX] if views is None else [] if readings is not None else [moved]
    reasons += [WRONG_VALUE] if form.faults else []
    return last, " ".join(reasons)


def identify(view: View) -> tuple[object, ...]:
    """Tell apart what a bundle would read; files of one archive share the archive's hash, so the pixels count."""
    pixels = hashlib.sha256(view.frame.pixels.tobytes()).hexdigest()
    return (pixels, view.frame.width, view.roi, get_bundle().sha256)


def name_turn(number: int) -> str:
    """Name what a session waits for while the network reads a view."""
    return f"{READING}_{number}"


def _give_up() -> None:
    """Take what waits for views or boxes of before out of the queue."""
    for view in get_case().views:
        forget_turn(name_turn(view.number))


def _read(views: Mapping[int, View], keys: Mapping[int, tuple[object, ...]]) -> None:
    """Queue all views that were not read yet, so that they may share a pass, and wait for each."""
    owner, known = name_owner(), get_case().readings
    begun = {
        number: partial(get_worker().begin_reading, view.frame, view.roi, owner=owner)
        for number, view in views.items()
        if keys[number] not in known
    }
    for number, begin in begun.items():
        begin_turn(name_turn(number), keys[number], begin)
    for number, begin in begun.items():
        words = WORDS if len(views) == 1 else f"{WORDS} (view {number})"
        change_case(LesionRead(keys[number], take_turn(name_turn(number), keys[number], begin, words)))

"""Where the board's images come from: drawn for simulated patients, unpacked with a cohort of one's own."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import streamlit as st

from core.clinical import M1_PREDICTORS, is_missing, parse_inputs
from core.errors import ImageError
from core.imaging import Roi, read_frame
from core.inference import Case, Prediction
from core.inference.prediction import drop_refused
from core.inference.queue.worker import Worker
from core.register.estimates import BoardReader, Lane, Predict
from core.ui.cohort.current import Cohort, get_package
from core.ui.resources import draw_simulated, get_bundle, get_simulated, get_worker
from core.ui.session import end_with_session, name_owner
from core.ui.shared import Shared

if TYPE_CHECKING:
    from core.simulation import Cohort as SimulatedCohort

READER = "board_reader"
NO_IMAGE = (
    "There is no image of this patient: the cohort came as a table alone. Score a zip of table and images on the "
)
NO_IMAGE += "page Cohort to see them here."
NO_ROW = "There is no image of this patient in the scored zip."


def get_reader(cohort: Cohort) -> BoardReader:
    """Give what reads the patients of a cohort: one for all sessions of the simulated one, else this session's own."""
    if cohort.is_simulated:
        return _SIMULATED.get(get_bundle().sha256)
    key = (cohort.sha256, get_bundle().sha256)
    kept = st.session_state.get(READER)
    if kept is None or kept[0] != key:
        if kept is not None:
            kept[1].close()
        st.session_state[READER] = kept = (
            key,
            BoardReader(_find_rows(cohort, name_owner()), _make_predict(get_worker(), name_owner())),
        )
        end_with_session(kept[1])
    reader: BoardReader = kept[1]
    return reader


def _read_simulated(_bundle_sha256: str) -> BoardReader:
    return BoardReader(_draw_rows(get_simulated()), _make_predict(get_worker(), ""))


_SIMULATED = Shared(_read_simulated, BoardReader.close)


def _draw_rows(simulated: "SimulatedCohort") -> Callable[[str], Case]:
    rows = {str(name): i for i, name in enumerate(simulated.table["patient_id"])}

    def load(patient: str) -> Case:
        if patient not in rows:
            raise ImageError("There is no image of this simulated patient.")
        row = simulated.table.iloc[rows[patient]]
        png, box = draw_simulated(simulated, rows[patient])
        frame = read_frame(png)
        known = {name: row[name] for name in M1_PREDICTORS if not is_missing(row[name])}
        clinical: dict[str, Any] = parse_inputs(known)
        return Case.of(frame, frame.to_frame(Roi(*box)), clinical)

    return load


def _find_rows(cohort: Cohort, owner: str) -> Callable[[str], Case]:
    from core.cohort.manifest import read_rows  # noqa: PLC0415 - only where a cohort came with images
    from core.cohort.scoring.local import read_case  # noqa: PLC0415

    package = get_package(cohort)
    rows: dict[str, list[dict[str, object]]] = {}
    for row in read_rows(package.manifest, confined=True)[0] if package is not None else ():
        rows.setdefault(str(row["patient_id"]), []).append(row)

    def load(patient: str) -> Case:
        if package is None or patient not in rows:
            raise ImageError(NO_IMAGE if package is None else NO_ROW)
        return read_case(rows[patient], partial(get_worker().find_lesions, owner=owner))

    return load


def _make_predict(worker: Worker, owner: str) -> Predict:
    def predict(case: Case, lane: Lane) -> tuple[Case, Prediction]:
        readings = [worker.read_image(view.frame, view.roi, lane=lane, owner=owner) for view in case.views]
        case, readings = drop_refused(case, readings)
        return case, worker.predict(case, readings)

    return predict

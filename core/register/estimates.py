"""The patients of a board, read ahead: going from one to the next does not wait for the network."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from core.errors import AppError, WorkError, hide_faults
from core.inference import Case, Prediction

MOST = 200
SAME = 0.005
FAULT = "The image could not be read by a fault of the program."
Load = Callable[[str], Case]
Lane = Literal["case", "bulk"]
Predict = Callable[[Case, Lane], tuple[Case, Prediction]]


@dataclass(frozen=True)
class BoardEstimate:
    """What is known of one patient's image."""

    case: Case | None  # views with their boxes, and clinical values; None where there is no image
    prediction: Prediction | None  # the estimate, a refused one too
    missing: str = ""  # why there is no image or no estimate; empty where there is one

    @property
    def shown(self) -> Prediction | None:
        """The estimate if it may be shown."""
        refused = self.prediction is not None and self.prediction.applicability.status == "refused"
        return None if refused else self.prediction

    def fits(self, probability: float) -> bool:
        """Whether the estimate is the one that a table gives, written as a percentage."""
        return self.shown is not None and abs(self.shown.probability - probability) <= SAME


class BoardReader:
    """Reads patients when they are asked for, and the ones to come in a thread; keeps the last 200.

    Parameters
    ----------
    load : callable
        Gives a patient's case by the pseudonym; an `AppError` says why there is none.
    predict : callable
        Gives the case, without views that the model refuses, and its estimate; its lane is "case" for who is waited
        for, "bulk" for those to come.
    """

    def __init__(self, load: Load, predict: Predict) -> None:
        self._load, self._predict = load, predict
        self._kept: OrderedDict[str, BoardEstimate] = OrderedDict()
        self._locks: dict[str, threading.Lock] = {}
        self._guard = threading.Lock()
        self._waiting: list[str] = []
        self._thread: threading.Thread | None = None

    def read(self, patient: str, *, lane: Lane = "case") -> BoardEstimate:
        """Read a patient, or give what was read before."""
        with self._guard:
            lock = self._locks.setdefault(patient, threading.Lock())
        with lock:
            return self.peek(patient) or self._read(patient, lane)

    def peek(self, patient: str) -> BoardEstimate | None:
        """Give what was read before, or None."""
        with self._guard:
            return self._kept.get(patient)

    def read_ahead(self, patients: Iterable[str]) -> None:
        """Read patients in a thread, in this order; what waited before is dropped."""
        with self._guard:
            self._waiting = [patient for patient in patients if patient not in self._kept][:MOST]
            if self._waiting and self._thread is None:
                self._thread = threading.Thread(target=self._work, name="board", daemon=True)
                self._thread.start()

    @property
    def left(self) -> int:
        """How many patients still wait to be read ahead."""
        with self._guard:
            return len(self._waiting)

    def close(self) -> None:
        """Drop what waits, so that the thread ends after the patient at hand."""
        self.read_ahead(())

    def _work(self) -> None:
        while True:
            with self._guard:
                if not self._waiting:
                    self._thread = None
                    return
                patient = self._waiting[0]
            self.read(patient, lane="bulk")
            with self._guard:
                self._waiting = [one for one in self._waiting if one != patient]

    def _read(self, patient: str, lane: Lane) -> BoardEstimate:
        """Read a patient; what failed for the moment alone is not kept, so that it is tried again."""
        case = None
        try:
            with hide_faults(FAULT):
                case = self._load(patient)
                estimate = BoardEstimate(*self._predict(case, lane))
        except WorkError as error:
            return BoardEstimate(case, None, str(error))
        except AppError as error:
            estimate = BoardEstimate(case, None, str(error))
        with self._guard:
            self._kept[patient] = estimate
            while len(self._kept) > MOST:
                gone, _ = self._kept.popitem(last=False)
                self._locks.pop(gone, None)
        return estimate

"""An estimate as the register keeps it: what went in and what came out, without a pixel."""

import datetime
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from core.clinical.ids import clean_id
from core.errors import InputError
from core.inference import Case, Prediction
from core.register.chain import hash_json, write_json
from core.register.models import Entry, Record
from core.simulation.devices import is_simulated_device

EARLIEST = "1990-01-01"
Clinical = Mapping[str, str | float]


@dataclass(frozen=True)
class Estimate:
    """One estimate of one patient.

    Parameters
    ----------
    patient, centre, device : str
        Pseudonym; where and on what the patient was examined; "" where it is not known.
    exam_date : str
        YYYY-MM-DD, or "".
    bundle, bundle_sha256, engine : str
        What answered.
    input_sha256 : str
        Hash of the pixels that the network saw; "" where a table did not say it.
    views : tuple of dict
        Lesion box in pixels of the frame ("box") and what else is known of each view.
    clinical : mapping of str to value
        Known clinical values.
    imputed : tuple of str
        Predictors that were not known.
    probability, threshold : float
        The estimate, and the probability from which Ki-67 is called high.
    low, high : float or None
        Its interval; None where a table did not say it.
    image_score : float
        Ki-67 image score.
    gate : {"ok", "caution", ""}
        The gate's verdict.
    own : float or None
        The reader's own estimate, where it came before the model's.
    is_simulated : bool
        Whether the patient is made up.
    """

    patient: str
    centre: str
    device: str
    exam_date: str
    bundle: str
    bundle_sha256: str
    engine: str
    input_sha256: str
    views: tuple[dict[str, Any], ...]
    clinical: Clinical
    imputed: tuple[str, ...]
    probability: float
    low: float | None
    high: float | None
    threshold: float
    image_score: float
    gate: str
    own: float | None = None
    is_simulated: bool = False

    def __post_init__(self) -> None:
        if self.exam_date:
            check_day(self.exam_date, "The date of the examination")

    @classmethod
    def of_case(
        cls, case: Case, prediction: Prediction, *, patient: str, centre: str, exam_date: str, engine: str, **rest: Any
    ) -> Self:
        """Take an estimate of the Case page; an image of a simulated device makes its patient a simulated one."""
        if prediction.applicability.status == "refused":
            raise InputError("The model refused this image, so there is no estimate to keep.")
        views = [
            {"box": [v.roi.x0, v.roi.y0, v.roi.x1, v.roi.y1], "plane": v.plane, "frames": v.n_frames}
            for v in case.views
        ]
        low, high = prediction.interval
        device = next((view.frame.device for view in case.views if view.frame.device), "")
        rest["is_simulated"] = rest.get("is_simulated", False) or is_simulated_device(device)
        return cls(
            patient=clean_id(patient),
            centre=centre.strip(),
            device=device,
            exam_date=exam_date,
            bundle=prediction.bundle,
            bundle_sha256=prediction.bundle_sha256,
            engine=engine,
            input_sha256=prediction.input_sha256,
            views=tuple(views),
            clinical=dict(case.clinical),
            imputed=prediction.imputed,
            probability=prediction.probability,
            low=low,
            high=high,
            threshold=prediction.threshold,
            image_score=prediction.score,
            gate=prediction.applicability.status,
            **rest,
        )

    @classmethod
    def of_record(cls, record: Record) -> Self:
        """Take an estimate of the register."""
        kept = json.loads(record.details)
        return cls(
            patient=record.patient,
            centre=record.centre,
            exam_date=record.exam_date,
            bundle=record.bundle,
            bundle_sha256=record.bundle_sha256,
            input_sha256=record.input_sha256,
            probability=float(record.probability or 0.0),
            low=record.low,
            high=record.high,
            is_simulated=kept.pop("simulated"),
            views=tuple(kept.pop("views")),
            imputed=tuple(kept.pop("imputed")),
            **kept,
        )

    @property
    def identity(self) -> str:
        """Hash of what makes an estimate the same: patient, bundle, input, values; without a known input the result."""
        result = "" if self.input_sha256 else f"{self.probability:.6f}"
        told = [self.patient, self.centre, self.bundle_sha256, self.input_sha256, result, dict(self.clinical)]
        return hash_json(told)

    def to_entry(self, author: str, author_key: str = "", role: str = "") -> Entry:
        """Give the entry that keeps it."""
        details = {
            "device": self.device,
            "engine": self.engine,
            "views": list(self.views),
            "clinical": dict(self.clinical),
            "imputed": list(self.imputed),
            "threshold": self.threshold,
            "image_score": self.image_score,
            "gate": self.gate,
            "own": self.own,
            "simulated": self.is_simulated,
        }
        return Entry(
            self.patient,
            author,
            "registered",
            role=role,
            author_key=author_key,
            centre=self.centre,
            exam_date=self.exam_date,
            bundle=self.bundle,
            bundle_sha256=self.bundle_sha256,
            input_sha256=self.input_sha256,
            probability=self.probability,
            low=self.low,
            high=self.high,
            group="high" if self.probability >= self.threshold else "low",
            identity=self.identity,
            details=write_json(details),
        )


def is_day(text: str) -> bool:
    """Whether a text is a day as YYYY-MM-DD, and not before 1990."""
    try:
        return datetime.date.fromisoformat(text).isoformat() == text and text >= EARLIEST
    except ValueError:
        return False


def check_day(text: str, what: str) -> str:
    """Give a day as YYYY-MM-DD, or refuse it."""
    if not is_day(text):
        raise InputError(f"{what} is '{text[:20]}'; write it as YYYY-MM-DD, from {EARLIEST} on.")
    if text > (datetime.datetime.now(datetime.UTC).date() + datetime.timedelta(days=1)).isoformat():
        raise InputError(f"{what}, {text}, lies in the future; check it.")
    return text

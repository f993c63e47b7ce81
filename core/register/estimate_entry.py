"""An estimate as the register keeps it: what went in and what came out, without a pixel."""

import datetime
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import pandas as pd
from scipy.special import expit

from core.clinical import M1_PREDICTORS, is_missing, parse_inputs
from core.errors import InputError
from core.inference import Case, Prediction
from core.register.chain import hash_json, write_json
from core.register.models import Entry, Record
from models.bundle import Bundle
from models.fusion import FusionHead

LEAST = 1e-9
ROUNDED = 0.006  # by which a probability with two digits differs
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
        """Take an estimate of the Case page."""
        if prediction.applicability.status == "refused":
            raise InputError("The model refused this image, so there is no estimate to keep.")
        views = [
            {"box": [v.roi.x0, v.roi.y0, v.roi.x1, v.roi.y1], "plane": v.plane, "frames": v.n_frames}
            for v in case.views
        ]
        low, high = prediction.interval
        return cls(
            patient=patient.strip(),
            centre=centre.strip(),
            device=next((view.frame.device for view in case.views if view.frame.device), ""),
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


def read_estimates(
    table: pd.DataFrame, bundle: Bundle, *, engine: str, simulated: bool = False, own: Mapping[str, float] | None = None
) -> list[Estimate]:
    """Take the estimates of a prediction table that a bundle gave, as `score` writes it.

    Parameters
    ----------
    table : DataFrame
        One row per patient: ``patient_id, prob``, and where known ``centre, exam_date, image_device, gate,
        input_sha256, views, interval_low, interval_high`` and the predictors.
    bundle : Bundle
        The bundle that gave the probabilities; the image score is found by its head.
    engine : str
        What computed.
    simulated : bool
        Whether the patients are made up.
    own : mapping of str to float, optional
        The readers' own estimates by pseudonym.

    Returns
    -------
    list of Estimate
        In the table's order.

    Raises
    ------
    InputError
        If the table's own probabilities by the clinical values alone are not the bundle's.
    """
    head, rule = bundle.fusion_heads["m1"], bundle.manifest.call_rule
    rows = [{str(k): v for k, v in row.items() if not is_missing(v)} for row in table.to_dict("records")]
    values: list[dict[str, Any]] = [read_clinical(row) for row in rows]
    _check_bundle(rows, values, bundle)
    return [
        Estimate(
            patient=str(row["patient_id"]).strip(),
            centre=str(row.get("centre", "")),
            device=str(row.get("image_device", "")),
            exam_date=str(row.get("exam_date", "")),
            bundle=bundle.name,
            bundle_sha256=bundle.sha256,
            engine=engine,
            input_sha256=str(row.get("input_sha256", "")),
            views=tuple({"box": box.split(",")} for box in str(row["views"]).split("; ")) if "views" in row else (),
            clinical=clinical,
            imputed=tuple(term.field for term in head.terms if term.field not in clinical),
            probability=float(row["prob"]),
            low=row.get("interval_low") if _has_interval(row) else None,
            high=row.get("interval_high") if _has_interval(row) else None,
            threshold=rule.threshold,
            image_score=find_score(head, float(row["prob"]), clinical),
            gate=str(row.get("gate", "")),
            own=(own or {}).get(str(row["patient_id"])),
            is_simulated=simulated,
        )
        for row, clinical in zip(rows, values, strict=True)
    ]


def _check_bundle(rows: Sequence[Mapping[str, Any]], values: Sequence[Clinical], bundle: Bundle) -> None:
    """Refuse a table that another bundle scored, or whose clinical values were changed since."""
    head = bundle.fusion_heads.get("clinical")
    told = [
        (float(row["prob_clinical"]), known) for row, known in zip(rows, values, strict=True) if "prob_clinical" in row
    ]
    if head is None or not told:
        return
    differing = sum(abs(given - _estimate(head, known)) > ROUNDED for given, known in told)
    if differing:
        raise InputError(
            f"In {differing} of {len(rows)} rows prob_clinical is not what the bundle {bundle.name} gives for the "
            "clinical values: another bundle scored the table, or values were changed since. Name that bundle, or "
            "score the patients anew."
        )


def _estimate(head: FusionHead, known: Clinical) -> float:
    """Give the probability of a head without the image."""
    given = head.given(known)
    return float(expit(given.intercept + given.code(known) @ given.coefs))


def _has_interval(row: Mapping[str, Any]) -> bool:
    """Whether a row gives both ends of an interval; ends that are interchanged are refused."""
    if "interval_low" not in row or "interval_high" not in row:
        return False
    if row["interval_low"] > row["interval_high"]:
        raise InputError("An interval's lower end lies above its upper one; correct interval_low and interval_high.")
    return True


def find_score(head: FusionHead, probability: float, clinical: Clinical) -> float:
    """Give the image score that a probability and the clinical terms hold."""
    p, given = min(max(probability, LEAST), 1 - LEAST), head.given(clinical)
    log_odds = math.log(p / (1 - p))
    return float((log_odds - given.intercept - given.code(clinical) @ given.coefs) / given.image_coef)


def read_clinical(row: Mapping[str, Any]) -> dict[str, Any]:
    """Give the predictors that a row of a prediction table knows."""
    known = {name: row[name] for name in M1_PREDICTORS if name in row}
    if "aln_us" in row:
        known["aln_suspicious"] = "suspicious" if float(row["aln_us"]) else "negative"
    return parse_inputs(known)


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

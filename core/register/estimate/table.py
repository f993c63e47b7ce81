"""A prediction table's rows as estimates of the register."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
from scipy.special import expit

from core.clinical import M1_PREDICTORS, is_missing, parse_inputs
from core.clinical.ids import clean_id
from core.errors import InputError
from core.register.estimate.entry import Clinical, Estimate
from core.simulation.devices import is_simulated_device
from models.bundle import Bundle
from models.fusion import FusionHead

LEAST = 1e-9
ROUNDED = 0.006  # by which a probability with two digits differs
HASH = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class ReadEstimates:
    """What became of a table's rows."""

    estimates: tuple[Estimate, ...]  # in the table's order
    refused: tuple[tuple[int, str], ...]  # position in the table, from 0, and reason of each row that can't be kept
    simulated: int  # estimates that are kept as of simulated patients because their device says so

    def number(self, rows: Sequence[int]) -> list[tuple[int, str]]:
        """Name the refused rows by their numbers in the file."""
        return [(rows[position] if rows else position + 1, reason) for position, reason in self.refused]


def read_estimates(
    table: pd.DataFrame, bundle: Bundle, *, engine: str, simulated: bool = False, own: Mapping[str, float] | None = None
) -> ReadEstimates:
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
        Whether the patients are made up; those of a simulated device are in any case.
    own : mapping of str to float, optional
        The readers' own estimates by pseudonym.

    Returns
    -------
    ReadEstimates
        Estimates, and the rows that can't be kept: a date, hash, box or verdict is none, or a text is too long.

    Raises
    ------
    InputError
        If the table's own probabilities by the clinical values alone are not the bundle's.
    """
    rows = [{str(k): v for k, v in row.items() if not is_missing(v)} for row in table.to_dict("records")]
    values: list[dict[str, Any]] = [read_clinical(row) for row in rows]
    _check_bundle(rows, values, bundle)
    estimates, refused, marked = [], [], 0
    for position, (row, clinical) in enumerate(zip(rows, values, strict=True)):
        is_marked = not simulated and is_simulated_device(str(row.get("image_device", "")))
        try:
            about = {"engine": engine, "is_simulated": simulated or is_marked}
            estimate = _read_estimate(row, clinical, bundle, about | {"own": (own or {}).get(str(row["patient_id"]))})
            estimate.to_entry("-")  # what no entry can keep is refused here, with its row
        except InputError as error:
            refused.append((position, str(error)))
        else:
            estimates.append(estimate)
            marked += is_marked
    return ReadEstimates(tuple(estimates), tuple(refused), marked)


def _read_estimate(
    row: Mapping[str, Any], clinical: dict[str, Any], bundle: Bundle, about: Mapping[str, Any]
) -> Estimate:
    head, has_interval = bundle.fusion_heads["m1"], _has_interval(row)
    return Estimate(
        patient=clean_id(str(row["patient_id"])),
        centre=str(row.get("centre", "")),
        device=str(row.get("image_device", "")),
        exam_date=str(row.get("exam_date", "")),
        bundle=bundle.name,
        bundle_sha256=bundle.sha256,
        input_sha256=_read_hash(row),
        views=_read_views(row),
        clinical=clinical,
        imputed=tuple(term.field for term in head.terms if term.field not in clinical),
        probability=float(row["prob"]),
        low=row.get("interval_low") if has_interval else None,
        high=row.get("interval_high") if has_interval else None,
        threshold=bundle.manifest.call_rule.threshold,
        image_score=find_score(head, float(row["prob"]), clinical),
        gate=_read_gate(row),
        **about,
    )


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


def _read_gate(row: Mapping[str, object]) -> str:
    """Give the gate's verdict; an image that was refused has no estimate."""
    gate = str(row.get("gate", ""))
    if gate not in {"ok", "caution", ""}:
        raise InputError(f"A gate is '{gate[:20]}'; it is ok or caution, and a refused image has no estimate to keep.")
    return gate


def _read_hash(row: Mapping[str, object]) -> str:
    """Give the hash of what the network saw."""
    sha256 = str(row.get("input_sha256", "")).lower()
    if sha256 and not HASH.fullmatch(sha256):
        raise InputError(f"An input_sha256 is '{sha256[:20]}'; it has 64 digits from 0 to f. Leave it out if unknown.")
    return sha256


def _read_views(row: Mapping[str, object]) -> tuple[dict[str, object], ...]:
    """Give the lesion boxes in pixels of the frame."""
    if "views" not in row:
        return ()
    boxes = [box.split(",") for box in str(row["views"]).split("; ")]
    if not all(len(box) == len("xyxy") and all(map(_is_number, box)) for box in boxes):
        raise InputError(f"A lesion box in views is '{str(row['views'])[:40]}'; write x0,y0,x1,y1 in pixels.")
    return tuple({"box": box} for box in boxes)


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


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

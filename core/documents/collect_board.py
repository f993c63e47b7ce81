"""From a patient of the board to what the document says: the case, the core biopsy, follow-up and decisions."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from core import __version__
from core.clinical import M1_PREDICTORS, is_missing
from core.documents.collect_case import collect_case, collect_meeting, describe_origin, draw_evidence
from core.documents.content import Decision, MeetingContent, PatientContent, Stamp
from core.inference import Prediction
from core.inference.explain import format_percent
from core.register.estimates import BoardEstimate, BoardReader
from core.register.models import Record
from core.register.pairs import has_decided
from core.register.witness import Anchor
from models.bundle import Bundle

CORE = ("histology", "grade_cnb", "er_pct", "pr_pct", "her2", "ki67_cnb_pct")
LATER = ("ki67_pct", "pt", "pn", "rfs_months", "rfs_event")


@dataclass(frozen=True, eq=False)
class BoardDocuments:
    """The documents of one board."""

    patients: pd.DataFrame  # one row per patient: "patient_id", "prob", and what is known of the patient by field
    reader: BoardReader  # gives images and estimates
    bundle: Bundle  # the bundle that estimates
    read_records: Callable[[str], Iterable[Record]]  # gives the entries about a patient, oldest first
    simulated: bool  # whether the patients are made up
    created_utc: str  # time to be printed, ISO 8601 in UTC; empty: none
    read_anchor: Callable[[], Anchor]  # gives number and hash of the record's last entry
    # author, author_key: who asks for them, and the login's subject: outcomes known later stand only where this reader
    # has decided
    author: str
    author_key: str = ""
    # names the register's entry that keeps an estimate of a patient; "" where none does
    find_entry: Callable[[str, Prediction], str] = lambda _patient, _prediction: ""

    def collect_patient(self, patient: str) -> PatientContent:
        """Collect what the document of a patient says."""
        row = {
            str(name): value for name, value in self.patients.set_index("patient_id", drop=False).loc[patient].items()
        }
        records = list(self.read_records(patient))
        if not has_decided(records, self.author, self.author_key):
            row = {name: value for name, value in row.items() if name not in LATER}
        read = self.reader.read(patient)
        content = collect_board(row, read, self.bundle, records, simulated=self.simulated, created_utc=self.created_utc)
        return name_register_entry(content, self.find_entry)

    def collect_meeting(self, title: str, names: Iterable[str], *, held_on: str) -> MeetingContent:
        """Collect what the document of a meeting on a day (ISO 8601) says; its patients are in the order of names."""
        contents = tuple(map(self.collect_patient, names))
        return collect_meeting(
            title,
            contents,
            held_on=held_on,
            created_utc=self.created_utc,
            last_entry=str(self.read_anchor()),
        )


def name_register_entry(content: PatientContent, find_entry: Callable[[str, Prediction], str]) -> PatientContent:
    """Name the register's entry in a patient's content, where the estimate is kept."""
    if content.patient is None or content.shown is None:
        return content
    return replace(content, entry=find_entry(content.patient, content.shown))


def collect_board(
    row: Mapping[str, object],
    read: BoardEstimate,
    bundle: Bundle,
    records: Iterable[Record],
    *,
    simulated: bool,
    created_utc: str,
) -> PatientContent:
    """Collect what a patient's document says."""
    name = str(row["patient_id"])
    if read.case is not None and read.prediction is not None:
        content = collect_case(
            read.case, read.prediction, bundle, patient=name, simulated=simulated, created_utc=created_utc
        )
    else:
        content = PatientContent(
            patient=name,
            simulated=simulated,
            origin=describe_origin(bundle),
            stamp=Stamp(__version__, created_utc),
            inputs=_pick(row, M1_PREDICTORS),
            evidence=draw_evidence(bundle),
            absence=_explain_absence(row, read),
        )
    return replace(
        content,
        core_biopsy=_pick(row, CORE),
        follow_up=_pick(row, LATER),
        decisions=tuple(_describe(record) for record in records),
    )


def _pick(row: Mapping[str, object], names: Iterable[str]) -> dict[str, object]:
    return {name: row[name] for name in names if name in row and not is_missing(row[name])}


def _explain_absence(row: Mapping[str, Any], read: BoardEstimate) -> str:
    given = row.get("prob")
    table = (
        "" if given is None else f" The cohort's table gives {format_percent(float(given))}, without its explanation."
    )
    return f"{read.missing}{table}"


def _describe(record: Record) -> Decision:
    own = "" if record.probability is None else f"{format_percent(record.probability)}, {record.group}. "
    text = f"{own}{record.text}".strip() if record.kind in {"reading", "estimate"} else record.text
    return Decision(record.time_utc, record.author, record.kind, text, record.agrees)

"""A laboratory's Bundle, from its bytes to the rows that are judged beside the register."""

import json
from codecs import BOM_UTF8
from collections.abc import Sequence
from dataclasses import dataclass

from core.errors import TableError
from core.fhir.bundle import SENTENCES
from core.fhir.observation import Found, FoundKi67
from core.register.outcome_entry import find_known
from core.register.outcome_import import JudgedRow, Row, judge_rows
from core.register.pseudonyms import question_pseudonym
from core.register.store import Store
from core.tabular.apart import read_apart

LOOKED_AT = 2_000
XML = "The file is FHIR as XML; export the Bundle as JSON."
UNSAID = "the Bundle does not say whether it was counted in a core biopsy or in the surgical specimen"


def is_fhir(content: bytes) -> bool:
    """Tell whether a file is JSON or FHIR's XML, by its first bytes."""
    start = content[:LOOKED_AT].removeprefix(BOM_UTF8).lstrip()
    return start.startswith((b"{", b"[")) or (start.startswith(b"<") and b"http://hl7.org/fhir" in start)


def read_bundle(content: bytes) -> FoundKi67:
    """Read the Ki-67 of a Bundle in a process of its own.

    Raises
    ------
    TableError
        If it is none, can't be understood without a guess, or not within the limits.
    """
    if content.removeprefix(BOM_UTF8).lstrip().startswith(b"<"):
        raise TableError(XML)
    read = json.loads(read_apart("core.fhir.worker", None, content, SENTENCES))
    found = [Found(**(one | {"names": tuple(one["names"])})) for one in read["found"]]
    return FoundKi67(tuple(found), tuple(map(tuple, read["refused"])), tuple(read["notes"]))


def judge_bundle(store: Store, read: FoundKi67, *, unsaid_is_surgery: bool = False) -> list[JudgedRow]:
    """Judge the Ki-67 of a Bundle beside what the register keeps.

    Parameters
    ----------
    store : Store
        The register.
    read : FoundKi67
        What was found.
    unsaid_is_surgery : bool
        Whether a Ki-67 of which the Bundle does not say the specimen is from surgery; somebody has to say so.

    Returns
    -------
    list of JudgedRow
        One for each Observation, in the Bundle's order.
    """
    refused = list(read.refused)
    usable = [one for one in read.found if one.origin or unsaid_is_surgery]
    refused += [(one.number, UNSAID) for one in read.found if not (one.origin or unsaid_is_surgery)]
    known = find_known(store, {name for one in usable for name in one.names})
    named: list[_Named] = []
    for one in usable:
        hits = [name for name in one.names if name in known]
        if len(hits) > 1:
            refused.append((one.number, "its patient has two identifiers that are pseudonyms of the register"))
        else:
            named.append(_Named(one, hits[0] if hits else _choose_shown(one.names), bool(hits)))
    rows, more = _choose_one(named)
    return judge_rows(store, rows, refused + more)


@dataclass(frozen=True)
class _Named:
    found: Found
    patient: str
    is_known: bool


def _choose_shown(names: Sequence[str]) -> str:
    """Give the identifier that is shown of a patient whom the register does not know: none that may identify."""
    return next((name for name in names if not question_pseudonym(name)), "")


def _choose_one(named: Sequence[_Named]) -> tuple[list[Row], list[tuple[int, str]]]:
    """Take one Ki-67 a patient; where several differ, none is taken."""
    rows: list[Row] = []
    refused: list[tuple[int, str]] = []
    first: dict[str, Found] = {}
    values: dict[str, set[float]] = {}
    for one in named:
        values.setdefault(one.patient, set()).add(one.found.percent)
    for one in named:
        found, patient = one.found, one.patient
        told = ", ".join(f"{value:g}" for value in sorted(values[patient]))
        if one.is_known and len(values[patient]) > 1:
            refused.append((found.number, f"the Bundle gives this patient several Ki-67 ({told} %); enter one by hand"))
        elif one.is_known and patient in first:
            refused.append((found.number, f"the same as entry {first[patient].number}"))
        else:
            first[patient] = found
            known = {"ki67_pct": found.percent, "ki67_laboratory": found.laboratory or None}
            rows.append((found.number, patient, known))
    return rows, refused

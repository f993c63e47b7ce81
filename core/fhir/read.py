"""A laboratory's Bundle, from its bytes to the rows that are judged beside the register."""

import json
from codecs import BOM_UTF8
from collections.abc import Sequence
from dataclasses import replace

from core.clinical import COLUMNS
from core.errors import TableError
from core.fhir.bundle import SENTENCES
from core.fhir.observation import Found, FoundOutcomes
from core.register.outcome_entry import describe_value, find_first_exams
from core.register.outcome_import import JudgedRow, Row, judge_rows
from core.register.pseudonyms import question_pseudonym
from core.register.store import Store
from core.tabular.apart import read_apart

LOOKED_AT = 2_000
XML = "The file is FHIR as XML; export the Bundle as JSON."
EARLIER = "its specimen was taken before the first examination that the register keeps of this patient"
UNSAID = "the Bundle does not say whether it was counted in a core biopsy or in the surgical specimen"


def is_fhir(content: bytes) -> bool:
    """Tell whether a file is JSON or FHIR's XML, by its first bytes."""
    start = content[:LOOKED_AT].removeprefix(BOM_UTF8).lstrip()
    return start.startswith((b"{", b"[")) or (start.startswith(b"<") and b"http://hl7.org/fhir" in start)


def read_bundle(content: bytes) -> FoundOutcomes:
    """Read what a Bundle states of pathology's findings, in a process of its own."""
    if content.removeprefix(BOM_UTF8).lstrip().startswith(b"<"):
        raise TableError(XML)
    read = json.loads(read_apart("core.fhir.child", None, content, SENTENCES))
    found = [Found(**(one | {"names": tuple(one["names"])})) for one in read["found"]]
    return FoundOutcomes(tuple(found), tuple(map(tuple, read["refused"])), tuple(read["notes"]))


def judge_bundle(store: Store, read: FoundOutcomes, *, unsaid_is_surgery: bool = False) -> list[JudgedRow]:
    """Judge what a Bundle states beside what the register keeps.

    Parameters
    ----------
    store : Store
        The register.
    read : FoundOutcomes
        What was found.
    unsaid_is_surgery : bool
        Whether a Ki-67 of which the Bundle does not say the specimen is from surgery; somebody has to say so.

    Returns
    -------
    list of JudgedRow
        One for each Observation, in the Bundle's order; those of one patient are entered together, at the first.
    """
    refused = list(read.refused)
    usable = [one for one in read.found if one.origin or unsaid_is_surgery]
    refused += [(one.number, UNSAID) for one in read.found if not (one.origin or unsaid_is_surgery)]
    first_exams = find_first_exams(store, {name for one in usable for name in one.names})
    named: dict[str, list[Found]] = {}
    rows: list[Row] = []
    for one in usable:
        hits = [name for name in one.names if name in first_exams]
        if len(hits) > 1:
            refused.append((one.number, "its patient has two identifiers that are pseudonyms of the register"))
        elif not hits:
            rows.append((one.number, _choose_shown(one.names), {}))
        elif one.day and one.day < first_exams[hits[0]][: len(one.day)]:
            refused.append((one.number, EARLIER))
        else:
            named.setdefault(hits[0], []).append(one)
    told: dict[int, list[int]] = {}
    for patient, group in named.items():
        taken, left_out = _part(group)
        refused += left_out
        if taken:
            values = {name: value for one in taken for name, value in one.values.items()}
            rows.append((taken[0].number, patient, values))
            told[taken[0].number] = [one.number for one in taken[1:]]
    judged = judge_rows(store, rows, refused)
    beside = [
        replace(row, number=number, reason=f"together with entry {row.number}", steps=())
        for row in judged
        for number in told.get(row.number, ())
    ]
    return sorted([*judged, *beside], key=lambda row: row.number)


def _choose_shown(names: Sequence[str]) -> str:
    """Give the identifier that is shown of a patient whom the register does not know: none that may identify."""
    return next((name for name in names if not question_pseudonym(name)), "")


def _part(group: Sequence[Found]) -> tuple[list[Found], list[tuple[int, str]]]:
    """Part what is said of a patient into what is taken, and what states a finding otherwise than another does."""
    said: dict[str, dict[str | float, int]] = {}
    for one in group:
        for name, value in one.values.items():
            said.setdefault(name, {}).setdefault(value, one.number)
    taken: list[Found] = []
    left_out: list[tuple[int, str]] = []
    for one in group:
        differing = [name for name in one.values if len(said[name]) > 1]
        twice = next((other.number for other in taken if one.values.items() <= other.values.items()), 0)
        if differing:
            told = ", ".join(describe_value(differing[0], value) for value in said[differing[0]])
            label = COLUMNS[differing[0]].label
            left_out.append((one.number, f"the Bundle gives this patient several: {label} {told}; enter one by hand"))
        elif twice:
            left_out.append((one.number, f"the same as entry {twice}"))
        else:
            taken.append(one)
    return taken, left_out

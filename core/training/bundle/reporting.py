"""Items of reporting guidelines: all of them, those that a card answers, and those that only the study's people can.

TRIPOD+AI: Collins et al., BMJ 2024;385:e078378. CLAIM: Tejani et al., Radiology: Artificial
Intelligence 2024;6:e240300.
"""

import csv
import json
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from core.errors import InputError

MISSING = "missing"
TRIPOD, CLAIM, STARD = "TRIPOD+AI", "CLAIM 2024", "STARD-AI"
GUIDELINES = Path(__file__).with_name("guidelines.csv")
MOST_BYTES, MOST_LETTERS = 1_000_000, 2_000
NO_TEXT = {"Cc", "Cs", "Cn"}


def describe_reporting(
    manifest: Mapping[str, Any], flow: Mapping[str, Any], internal: Mapping[str, Any]
) -> Iterator[str]:
    """Write the items of the reporting guidelines with what the bundle knows of them."""
    given = manifest.get("reporting", {})
    answers = {**_answer(flow, internal), **given}
    yield "\n## Reporting\n"
    yield "| item | asks for | answer |\n| --- | --- | --- |"
    for name in dict.fromkeys((*ITEMS, *given)):
        guideline, number = name.rsplit(" ", 1)
        yield f"| {name} | {list_items(guideline)[number]} | {answers.get(name, MISSING).replace('|', '/')} |"


def write_form() -> str:
    """Write every item with what it asks for and an empty answer, as JSON for the study's people to fill in."""
    form = {
        f"{guideline} {number}": {"asks for": asks, "answer": ""}
        for guideline in (TRIPOD, STARD, CLAIM)
        for number, asks in list_items(guideline).items()
    }
    return json.dumps(form, indent=1, ensure_ascii=False) + "\n"


def read_answers(path: Path) -> dict[str, str]:
    """Read a file as `parse_answers` does."""
    try:
        return parse_answers(path.read_bytes())
    except OSError:
        raise InputError("The form of the checklists can't be opened.") from None


def parse_answers(data: bytes) -> dict[str, str]:
    """Read a form that the study's people filled in, as `write_form` writes it.

    An answer may also stand for its item alone; items without one are left out.
    """
    if len(data) > MOST_BYTES:
        raise InputError(f"The form of the checklists is larger than {MOST_BYTES / 1e6:g} MB.")
    try:
        form = json.loads(data.decode("utf-8-sig"), object_pairs_hook=_take_once)
    except (ValueError, RecursionError):
        raise InputError("The form of the checklists is not JSON: `checklists FILE` writes one.") from None
    if not isinstance(form, dict):
        raise InputError('The form of the checklists holds no items: give {"TRIPOD+AI 5b": "..."}.')
    known = [f"{guideline} {number}" for guideline in (TRIPOD, STARD, CLAIM) for number in list_items(guideline)]
    for name in form:
        if name not in known:
            close = get_close_matches(name, known, n=1)
            hint = f" Did you mean '{close[0]}'?" if close else ""
            raise InputError(f"'{name[:60]}' is not an item of the checklists.{hint}")
    answers = {name: _read_answer(name, entry) for name, entry in form.items()}
    return {name: answer for name, answer in answers.items() if answer}


def _take_once(pairs: Sequence[tuple[str, object]]) -> dict[str, object]:
    """Refuse a name that stands twice, of which JSON would take the last."""
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        double = next(name for name in names if names.count(name) > 1)
        raise InputError(f"'{double[:60]}' stands twice in the form of the checklists.")
    return found


def _read_answer(name: str, entry: object) -> str:
    if isinstance(entry, dict):
        odd = [key for key in entry if key not in {"asks for", "answer"}]
        if odd:
            raise InputError(f"{name}: '{odd[0][:60]}' is not known; an item has 'asks for' and 'answer'.")
        entry = entry.get("answer", "")
    if not isinstance(entry, str):
        raise InputError(f"{name}: the answer is not text; put it in quotation marks.")
    answer = " ".join(entry.split())
    if len(answer) > MOST_LETTERS:
        raise InputError(f"{name}: the answer has {len(answer):,} letters; at most {MOST_LETTERS:,} are taken.")
    if any(unicodedata.category(letter) in NO_TEXT for letter in answer):
        raise InputError(f"{name}: the answer holds a character that text can't have.")
    return answer


def list_items(guideline: str) -> dict[str, str]:
    """Give every item of a guideline, in its order: its number, and what it asks for in our own words."""
    with GUIDELINES.open(encoding="utf-8", newline="") as file:
        return {row["item"]: row["asks_for"] for row in csv.DictReader(file) if row["guideline"] == guideline}


ITEMS = (
    *(f"{TRIPOD} {number}" for number in ("10", "11", "12c", "12d", "20b", "21", "23a")),
    *(f"{STARD} {number}" for number in ("10", "16", "17", "19", "27")),
)


def _answer(flow: Mapping[str, Any], internal: Mapping[str, Any]) -> dict[str, str]:
    """Answer what the bundle knows by itself."""
    sizes = [internal.get(name) for name in ("sample_size", "validation_size")]
    counts = "; ".join(f"{name} {part['n']} ({part['events']})" for name, part in flow["splits"].items())
    found = {
        "TRIPOD+AI 11": "averaged over what is expected given the known values; see Model",
        "TRIPOD+AI 12c": "see Model and the optimism under Figures",
        "TRIPOD+AI 21": f"patients (events): {counts}",
        "TRIPOD+AI 23a": "see Figures; subgroups by `evaluate --by`",
        "STARD-AI 16": "missing values as TRIPOD+AI 11; the indeterminate range is evaluated under Figures",
        "STARD-AI 19": f"{flow['rows']} rows, {flow['rows_refused']} refused, {flow['patients']} patients",
        "STARD-AI 27": "research use only; see Limits",
    }
    if all(sizes):
        found["TRIPOD+AI 10"] = "none was planned; the sizes that Riley et al. ask for stand under Figures"
    if internal["left_out_centres"]["centres"]:
        found["TRIPOD+AI 12d"] = "each training centre left out; see Figures"
    return found

"""Items of reporting guidelines: all of them, those that a card answers, and those that only the study's people can.

TRIPOD+AI: Collins et al., BMJ 2024;385:e078378. CLAIM: Tejani et al., Radiology: Artificial
Intelligence 2024;6:e240300.
"""

import csv
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

MISSING = "missing"
TRIPOD, CLAIM, STARD = "TRIPOD+AI", "CLAIM 2024", "STARD-AI"
GUIDELINES = Path(__file__).with_name("guidelines.csv")


def describe_reporting(
    manifest: Mapping[str, Any], flow: Mapping[str, Any], internal: Mapping[str, Any]
) -> Iterator[str]:
    """Write the items of the reporting guidelines with what the bundle knows of them."""
    answers = {**_answer(flow, internal), **manifest.get("reporting", {})}
    yield "\n## Reporting\n"
    yield "| item | asks for | answer |\n| --- | --- | --- |"
    for name in ITEMS:
        guideline, number = name.rsplit(" ", 1)
        yield f"| {name} | {list_items(guideline)[number]} | {answers.get(name, MISSING)} |"


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

"""Items of TRIPOD+AI and STARD-AI that a card answers, and those that only the study's people can."""

from collections.abc import Iterator, Mapping
from typing import Any

MISSING = "missing"


def describe_reporting(
    manifest: Mapping[str, Any], flow: Mapping[str, Any], internal: Mapping[str, Any]
) -> Iterator[str]:
    """Write the items of the reporting guidelines with what the bundle knows of them."""
    answers = {**_answer(flow, internal), **manifest.get("reporting", {})}
    yield "\n## Reporting\n"
    yield "| item | asks for | answer |\n| --- | --- | --- |"
    for name, question in ITEMS.items():
        yield f"| {name} | {question} | {answers.get(name, MISSING)} |"


ITEMS: Mapping[str, str] = {
    "TRIPOD+AI 10": "how the size of the study was reached",
    "TRIPOD+AI 11": "how missing data were handled",
    "TRIPOD+AI 12c": "type of model, building steps and internal validation",
    "TRIPOD+AI 12d": "differences between clusters such as centres",
    "TRIPOD+AI 20b": "characteristics of the participants of each source",
    "TRIPOD+AI 21": "participants and events in each analysis",
    "TRIPOD+AI 23a": "performance with intervals, in subgroups too",
    "STARD-AI 10": "index test and reference standard in enough detail to repeat them",
    "STARD-AI 16": "how missing and indeterminate results were handled",
    "STARD-AI 17": "analyses of variability in accuracy",
    "STARD-AI 19": "flow of participants and indeterminate results",
    "STARD-AI 27": "intended use and clinical role",
}


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

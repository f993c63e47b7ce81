"""The register as a table: one row per estimate, with what is known of its patient by now."""

import json
from collections.abc import Iterator

import pandas as pd
from sqlalchemy import select

from core.clinical import M1_PREDICTORS
from core.errors import WorkError
from core.register.models import ENTRIES, Record
from core.register.outcome_entry import FIELDS, NOTHING, read_kept
from core.register.store import AT_ONCE, Store
from core.register.withdrawal import select_withdrawn

KEPT = ("number", "time_utc", "patient", "centre", "exam_date", "bundle", "bundle_sha256", "input_sha256")
ESTIMATE = ("probability", "low", "high")
DETAILS = ("device", "engine", "threshold", "image_score", "gate", "own", "simulated")
RENAMED = {"patient": "patient_id", "device": "image_device", "probability": "prob", "simulated": "is_simulated"}
NUMBERS = ("low", "high", "prob", "threshold", "image_score", "own", "age", "size_mm", "ki67_pct", "ki67_cutoff")
COUNTED = (ENTRIES.c.kind == "registered", ENTRIES.c.number.not_in(select_withdrawn()))
COUNTS = ("nodes_removed", "nodes_positive", "rfs_months", "rfs_event")


def tabulate_register(store: Store) -> pd.DataFrame:
    """Give the register as a table, one row per estimate that is not withdrawn, oldest first.

    ``number, time_utc, patient_id, centre, exam_date, bundle, bundle_sha256, input_sha256, prob, low, high,
    image_device, engine, threshold, image_score, gate, own, is_simulated, n_views``; the predictors of M1; what
    pathology and follow-up found, None or NaN where it is not known; ``outcome_number`` (first entry of pathology's
    finding; 0 without one) and ``is_prospective`` (whether the estimate was made before it). A WorkError if the record
    does not hold: what was taken out of it would be missing without a word.
    """
    check_record(store)
    columns = [*KEPT, *ESTIMATE, "details"]
    query = select(*(ENTRIES.c[name] for name in columns)).where(*COUNTED)
    rows = store.select(query.order_by(ENTRIES.c.number))
    kept = read_kept(store)
    table = pd.DataFrame([_lay_out(dict(row)) for row in rows], columns=[*_list_columns()])
    for kind, names in FIELDS.items():
        found = [kept.get((patient, kind), NOTHING) for patient in table["patient"]]
        for name in names:
            table[name] = [one.values.get(name) for one in found]
        if kind == "outcome":
            table["outcome_number"] = [one.first for one in found]
    table["is_prospective"] = (table["outcome_number"] == 0) | (table["number"] < table["outcome_number"])
    table = table.rename(columns=RENAMED)
    return table.astype(dict.fromkeys((*NUMBERS, *COUNTS), float) | {"is_simulated": bool, "outcome_number": int})


def check_record(store: Store) -> None:
    """Refuse a record that does not hold: what was taken out of it would be missing without a word."""
    report = store.verify_chain()
    if not report.holds:
        raise WorkError(
            f"No table is made, for the record does not hold: {report.reason}. Tell the database administrator."
        )


def read_estimates(store: Store) -> Iterator[Record]:
    """Read all estimates that count, oldest first, without holding all of them."""
    last = store.read_anchor().number
    for first in range(1, last + 1, AT_ONCE):
        yield from store.read_where(*COUNTED, ENTRIES.c.number.between(first, min(first + AT_ONCE - 1, last)))


def mark_one_kind(is_simulated: "pd.Series[bool]") -> "pd.Series[bool]":
    """Mark the estimates that count together: real patients where there are any, else simulated ones; never both."""
    return ~is_simulated if (~is_simulated).any() else is_simulated


def choose_estimates(table: pd.DataFrame) -> pd.DataFrame:
    """Choose a patient's estimate of each bundle: the last before the outcome was kept, else the first after it."""
    before = table[table["is_prospective"]].drop_duplicates(["patient_id", "bundle_sha256"], keep="last")
    after = table[~table["is_prospective"]].drop_duplicates(["patient_id", "bundle_sha256"], keep="first")
    both = pd.concat([before, after]).drop_duplicates(["patient_id", "bundle_sha256"], keep="first")
    return both.sort_values("number", kind="stable").reset_index(drop=True)


def _list_columns() -> list[str]:
    return [*KEPT, *ESTIMATE, *DETAILS, "n_views", *M1_PREDICTORS]


def _lay_out(row: dict[str, object]) -> dict[str, object]:
    details = json.loads(str(row.pop("details")))
    clinical = details["clinical"]
    own = {name: details[name] for name in DETAILS} | {"n_views": len(details["views"])}
    return row | own | {name: clinical.get(name) for name in M1_PREDICTORS}

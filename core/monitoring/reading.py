"""The register's estimates and outcomes as one table; a chain only grows, so each reading goes on from the last."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Lock

import numpy as np
import pandas as pd
from sqlalchemy import select

from core.clinical import BY_NAME, M1_PREDICTORS
from core.register.estimate.entry import is_day
from core.register.models import ENTRIES, WITHHELD, Kind, Record
from core.register.outcome_entry import NOTHING, Kept, add_records
from core.register.store import AT_ONCE, Store
from core.register.withdrawal import select_withdrawn
from core.register.witness import Anchor

Watch = Callable[[int, int], object]
COLUMNS = (
    "number",
    "patient",
    "centre",
    "day",
    "has_date",
    "bundle",
    "bundle_sha256",
    "prob",
    "threshold",
    "image_score",
    "gate",
    "is_simulated",
    *M1_PREDICTORS,
)
NUMBERS = ("prob", "threshold", "image_score", "age", "size_mm")
REPEATED = dict.fromkeys(("centre", "bundle", "bundle_sha256", "gate"), "category")
CHOICES = {name: pd.CategoricalDtype(list(BY_NAME[name].levels)) for name in M1_PREDICTORS if BY_NAME[name].levels}


@dataclass(frozen=True, eq=False)
class Estimates:
    """Every estimate of the register with what pathology found since."""

    # one row per estimate that is not withdrawn, oldest first: ``number, patient, centre, day`` (of the examination, or
    # where it is not known of the entry)``, has_date, bundle, bundle_sha256, prob, threshold, image_score, gate,
    # is_simulated``, the predictors of M1, ``ki67_pct`` (NaN where it is not known) and ``is_prospective``
    table: pd.DataFrame
    withheld: int  # estimates and outcomes that do not hold and are left out
    last: Anchor  # the chain's last entry when it was read


class RegisterReading:
    """Reads the register once and then only what was appended; each entry is checked by its own hash and seal.

    Parameters
    ----------
    store : Store
        The database.
    """

    def __init__(self, store: Store) -> None:
        self._store, self._lock = store, Lock()
        self._made: Estimates | None = None
        self._forget()

    def read(self, watch: Watch | None = None) -> Estimates:
        """Give the estimates up to the chain's end.

        The watch is told entries read and entries in all after every 10,000; what it stops is not read anew the next
        time.
        """
        while True:
            with self._lock:  # for one part at a time: the page tells how far the reading in the background is
                end = self._store.read_anchor()
                if self._made is not None and self._made.last == end:
                    return self._made
                if not self._holds_still():
                    self._forget()
                if self._last.number >= end.number:
                    made = self._made = self._join(end)
                    return made
                self._read_on(end)
                done = self._last.number
            if watch is not None:
                watch(done, end.number)

    def _forget(self) -> None:
        self._parts: list[pd.DataFrame] = []
        self._kept: dict[tuple[str, Kind], Kept] = {}
        self._withheld = 0
        self._last = Anchor(0, "")
        self._made = None

    def _holds_still(self) -> bool:
        """Whether the entry that was read last is still the one of that number: a backup may have been put back."""
        return not self._last.number or self._find_hash(self._last.number) == self._last.hash

    def _find_hash(self, number: int) -> str:
        rows = self._store.select(select(ENTRIES.c.hash).where(ENTRIES.c.number == number))
        return str(rows[0]["hash"]) if rows else ""

    def _read_on(self, end: Anchor) -> None:
        first, last = self._last.number + 1, min(self._last.number + AT_ONCE, end.number)
        between = ENTRIES.c.number.between(first, last)
        found = self._store.read_where(between, ENTRIES.c.kind == "registered")
        outcomes = self._store.read_where(between, ENTRIES.c.kind == "outcome")
        mark = end.hash if last == end.number else self._find_hash(last)
        holding = [record for record in found if record.kind != WITHHELD]
        self._withheld += len(found) - len(holding) + sum(record.kind == WITHHELD for record in outcomes)
        if holding:
            self._parts.append(_lay_out(holding))
        add_records(self._kept, "outcome", outcomes)
        self._last = Anchor(last, mark)

    def _join(self, end: Anchor) -> Estimates:
        if len(self._parts) > 1:
            self._parts = [_save_room(pd.concat(self._parts, ignore_index=True))]
        table = self._parts[0] if self._parts else _lay_out([])
        withdrawn = [row["corrects"] for row in self._store.select(select_withdrawn())]
        table = table[~table["number"].isin(withdrawn)].reset_index(drop=True)
        kept = [self._kept.get((patient, "outcome"), NOTHING) for patient in table["patient"]]
        percents = np.array([one.values.get("ki67_pct", np.nan) for one in kept], dtype=np.float64)
        first = np.array([one.first for one in kept], dtype=np.int64)
        is_prospective = (first == 0) | (table["number"].to_numpy() < first)
        return Estimates(table.assign(ki67_pct=percents, is_prospective=is_prospective), self._withheld, end)


def _lay_out(records: Sequence[Record]) -> pd.DataFrame:
    """Lay checked estimates out as rows."""
    rows = []
    for record in records:
        details = json.loads(record.details)
        clinical = details["clinical"]
        told = (details["threshold"], details["image_score"], details["gate"], details["simulated"])
        has_date = is_day(record.exam_date)
        day = record.exam_date if has_date else record.time_utc[:10]
        own = (record.number, record.patient, record.centre, day, has_date, record.bundle)
        rows.append((*own, record.bundle_sha256, record.probability, *told, *map(clinical.get, M1_PREDICTORS)))
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    table["day"] = pd.to_datetime(table["day"], format="%Y-%m-%d").astype("datetime64[s]")
    return _save_room(table.astype(dict.fromkeys(NUMBERS, float) | CHOICES | {"number": "int64"}))


def _save_room(table: pd.DataFrame) -> pd.DataFrame:
    """Keep a column of few different words as one of categories."""
    return table.astype(REPEATED)

"""The register's list, a page at a time, and its sums; a million estimates keep nobody waiting."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd
from sqlalchemy import Integer, Select, exists, func, select

from core.register.models import ENTRIES, REGISTER, WITHHELD, Record
from core.register.store import Store
from core.register.withdrawal import find_last, is_withdrawn, select_withdrawn

if TYPE_CHECKING:
    from core.inference import Prediction

PAGE, SHORT_HASH, SAME = 50, 16, 1e-9
WITHDRAWN = ", withdrawn since"
COLUMNS = ("number", "patient", "centre", "exam_date", "bundle", "probability", "low", "high", "group", "time_utc")
OUTCOMES = select(ENTRIES.c.patient).where(ENTRIES.c.kind == "outcome")


@dataclass(frozen=True)
class Filter:
    """Which estimates are listed; what is empty lets all through.

    Parameters
    ----------
    search : str
        Part of a pseudonym.
    centre, bundle_sha256 : str or None
        Where, and by which bundle.
    since, until : str
        First and last date of the examination, YYYY-MM-DD.
    has_outcome : bool or None
        Whether pathology's finding is known.
    withdrawn : bool
        Whether the withdrawn ones are listed in place of those that count.
    """

    search: str = ""
    centre: str | None = None
    bundle_sha256: str | None = None
    since: str = ""
    until: str = ""
    has_outcome: bool | None = None
    withdrawn: bool = False

    def apply(self, query: Select[Any]) -> Select[Any]:
        """Narrow a query of estimates."""
        is_withdrawn = ENTRIES.c.number.in_(select_withdrawn())
        query = query.where(ENTRIES.c.kind == "registered", is_withdrawn if self.withdrawn else ~is_withdrawn)
        if self.search.strip():
            query = query.where(ENTRIES.c.patient.icontains(self.search.strip(), autoescape=True))
        if self.centre is not None:
            query = query.where(ENTRIES.c.centre == self.centre)
        if self.bundle_sha256 is not None:
            query = query.where(ENTRIES.c.bundle_sha256 == self.bundle_sha256)
        if self.since:
            query = query.where(ENTRIES.c.exam_date >= self.since)
        if self.until:
            query = query.where(ENTRIES.c.exam_date != "", ENTRIES.c.exam_date <= self.until)
        if self.has_outcome is not None:
            other = ENTRIES.alias()
            is_known = exists().where(other.c.kind == "outcome", other.c.patient == ENTRIES.c.patient)
            query = query.where(is_known if self.has_outcome else ~is_known)
        return query


def list_estimates(store: Store, wanted: Filter, *, page: int = 0) -> pd.DataFrame:
    """Give a page of estimates, newest first, with whether pathology's finding is known, or why one is withheld."""
    numbers = wanted.apply(select(ENTRIES.c.number)).order_by(ENTRIES.c.number.desc())
    numbers = numbers.limit(PAGE).offset(page * PAGE)
    records = store.read_where(ENTRIES.c.number.in_(numbers))[::-1]
    table = pd.DataFrame([record.to_dict() for record in records], columns=COLUMNS)
    table["withheld"] = [record.text if record.kind == WITHHELD else "" for record in records]
    known = store.read_where(ENTRIES.c.kind == "outcome", ENTRIES.c.patient.in_(table["patient"].tolist()))
    return table.assign(has_outcome=table["patient"].isin([one.patient for one in known if one.kind != WITHHELD]))


def count_estimates(store: Store, wanted: Filter) -> int:
    """Count the estimates that a filter lets through."""
    return int(store.select(wanted.apply(select(func.count().label("n"))))[0]["n"])


def name_entry(record: Record) -> str:
    """Name an entry as documents print it, NUMBER:HASH, which `python -m core audit --expect` takes."""
    return f"{record.number}:{record.hash[:SHORT_HASH]}"


def find_entry(store: Store, patient: str, prediction: "Prediction") -> str:
    """Name the entry that keeps an estimate of a patient; "" where none does, or it does not hold."""
    found = store.read_where(
        ENTRIES.c.kind == "registered",
        ENTRIES.c.patient == patient,
        ENTRIES.c.bundle_sha256 == prediction.bundle_sha256,
        ENTRIES.c.input_sha256 == prediction.input_sha256,
    )
    kept = [one for one in found if one.kind != WITHHELD and one.probability is not None]
    same = [one for one in kept if abs(float(one.probability or 0) - prediction.probability) < SAME]
    if not same:
        return ""
    return name_entry(same[-1]) + (WITHDRAWN if is_withdrawn(find_last(store, same[-1].number)) else "")


def has_estimate(store: Store, *, prospective: bool) -> bool:
    """Whether there is an estimate: any, or one made before its patient's outcome was entered."""
    query = Filter().apply(select(ENTRIES.c.number))
    if prospective:
        outcome = ENTRIES.alias()
        of_patient = (outcome.c.kind == "outcome") & (outcome.c.patient == ENTRIES.c.patient)
        query = query.where(~exists().where(of_patient, outcome.c.number < ENTRIES.c.number))
    return bool(store.select(query.limit(1)))


@dataclass(frozen=True)
class Overview:
    """What there is.

    Parameters
    ----------
    estimates, known, withdrawn : int
        Estimates, patients with a finding of pathology, and estimates that were withdrawn and do not count.
    centres : tuple of str
        Where patients were examined.
    bundles : mapping of str to str
        Hash of each bundle to its name.
    """

    estimates: int
    known: int
    centres: tuple[str, ...]
    bundles: Mapping[str, str]
    withdrawn: int = 0


def read_overview(store: Store) -> Overview:
    """Count what there is, and list what it can be narrowed by."""
    known = store.select(select(func.count(ENTRIES.c.patient.distinct()).label("n")).where(ENTRIES.c.kind == "outcome"))
    pairs = store.select(Filter().apply(select(ENTRIES.c.centre, ENTRIES.c.bundle_sha256).distinct()))
    centres, bundles = ({row[name] for row in pairs} for name in ("centre", "bundle_sha256"))
    named = {sha256: _name_bundle(store, sha256) for sha256 in sorted(bundles)}
    counts = (count_estimates(store, Filter()), int(known[0]["n"]))
    return Overview(*counts, tuple(sorted(centres)), named, count_estimates(store, Filter(withdrawn=True)))


def sum_estimates(store: Store) -> pd.DataFrame:
    """Count by centre and bundle: estimates, and those of patients with a finding of pathology; takes a while."""
    keys = (ENTRIES.c.centre, ENTRIES.c.bundle_sha256)
    known = func.sum(ENTRIES.c.patient.in_(OUTCOMES).cast(Integer)).label("with_outcome")
    query = Filter().apply(select(*keys, func.count().label("estimates"), known))
    rows = [dict(row) for row in store.select(query.group_by(*keys).order_by(*keys))]
    names = {sha256: _name_bundle(store, sha256) for sha256 in {row["bundle_sha256"] for row in rows}}
    rows = [row | {"bundle": names[row["bundle_sha256"]]} for row in rows]
    return pd.DataFrame(rows, columns=["centre", "bundle", "bundle_sha256", "estimates", "with_outcome"])


def _name_bundle(store: Store, sha256: str) -> str:
    wanted = Filter(bundle_sha256=sha256)
    numbers = wanted.apply(select(ENTRIES.c.number)).order_by(ENTRIES.c.number.desc()).limit(1)
    return str(store.select(select(ENTRIES.c.bundle).where(ENTRIES.c.number.in_(numbers)))[0]["bundle"])


def count_entries(store: Store) -> dict[str, int]:
    """Count the register's entries by kind."""
    query = select(ENTRIES.c.kind, func.count().label("n")).where(ENTRIES.c.kind.in_(REGISTER)).group_by(ENTRIES.c.kind)
    counts = {row["kind"]: int(row["n"]) for row in store.select(query)}
    names = {"registered": "estimates", "outcome": "outcomes", "follow-up": "follow_ups"}
    told = {name: counts.get(kind, 0) for kind, name in names.items()}
    return told | {"withdrawn": count_estimates(store, Filter(withdrawn=True))}

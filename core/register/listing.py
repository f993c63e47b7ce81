"""The register's list, a page at a time, and its sums; a million estimates keep nobody waiting."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd
from sqlalchemy import ColumnElement, Select, case, func, literal_column, select

from core.clinical.ids import clean_id
from core.register.models import ENTRIES, ESTIMATES, REGISTER, WITHHELD, Record
from core.register.store import Store
from core.register.withdrawal import find_last, is_withdrawn

if TYPE_CHECKING:
    from core.inference import Prediction

PAGE, SHORT_HASH, SAME = 50, 16, 1e-9
WITHDRAWN = ", withdrawn since"
NOTHING_SAID = "{}"
COLUMNS = ("number", "patient", "centre", "exam_date", "bundle", "probability", "low", "high", "group", "time_utc")
SUMMED = ("centre", "bundle_sha256", "estimates", "with_outcome")


@dataclass(frozen=True)
class Filter:
    """Which estimates are listed; what is empty lets all through."""

    search: str = ""  # part of a pseudonym
    # centre, bundle_sha256: where, and by which bundle
    centre: str | None = None
    bundle_sha256: str | None = None
    # since, until: first and last date of the examination, YYYY-MM-DD
    since: str = ""
    until: str = ""
    has_outcome: bool | None = None  # whether pathology's finding is known
    withdrawn: bool = False  # whether the withdrawn ones are listed in place of those that count

    def apply(self, query: Select[Any]) -> Select[Any]:
        """Narrow a query of estimates."""
        query = query.where(ESTIMATES.c.withdrawals > 0 if self.withdrawn else ESTIMATES.c.withdrawals <= 0)
        if search := clean_id(self.search):
            query = query.where(ESTIMATES.c.patient.icontains(search, autoescape=True))
        if self.centre is not None:
            query = query.where(ESTIMATES.c.centre == self.centre)
        if self.bundle_sha256 is not None:
            query = query.where(ESTIMATES.c.bundle_sha256 == self.bundle_sha256)
        if self.since:
            query = query.where(ESTIMATES.c.exam_date >= self.since)
        if self.until:
            query = query.where(ESTIMATES.c.exam_date != "", ESTIMATES.c.exam_date <= self.until)
        if self.has_outcome is not None:
            query = query.where(_is_known() if self.has_outcome else ~_is_known())
        return query


def list_estimates(store: Store, wanted: Filter, *, page: int = 0) -> pd.DataFrame:
    """Give a page of estimates, newest first, with whether pathology's finding is known, or why one is withheld."""
    numbers = wanted.apply(select(ESTIMATES.c.number)).order_by(ESTIMATES.c.number.desc())
    numbers = numbers.limit(PAGE).offset(page * PAGE)
    records = store.read_where(ENTRIES.c.number.in_(numbers))[::-1]
    table = pd.DataFrame([record.to_dict() for record in records], columns=COLUMNS)
    table["withheld"] = [record.text if record.kind == WITHHELD else "" for record in records]
    outcomes = store.read_where(ENTRIES.c.kind == "outcome", ENTRIES.c.patient.in_(table["patient"].tolist()))
    known = {one.patient: one.details != NOTHING_SAID for one in outcomes if one.kind != WITHHELD}
    return table.assign(has_outcome=table["patient"].map(known).eq(True))


def count_estimates(store: Store, wanted: Filter) -> int:
    """Count the estimates that a filter lets through."""
    return int(store.select(wanted.apply(select(func.count(ESTIMATES.c.number).label("n"))))[0]["n"])


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
    query = Filter().apply(select(ESTIMATES.c.number))
    if prospective:
        first = ESTIMATES.c.first_outcome
        query = query.where(first.is_(None) | (ESTIMATES.c.number < first))
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
    patients = select(ENTRIES.c.patient).where(ENTRIES.c.kind == "outcome").distinct()
    entered, taken_back = (
        store.select(select(func.count().label("n")).select_from(one.subquery()))[0]["n"]
        for one in (patients, _select_taken_back())
    )
    sums = _sum(store)
    told = sums[sums["estimates"] > 0]
    bundles = dict(sorted(zip(told["bundle_sha256"], told["bundle"], strict=True)))
    estimates, withdrawn = (int(sums[name].sum()) for name in ("estimates", "withdrawn"))
    return Overview(estimates, int(entered) - int(taken_back), tuple(sorted({*told["centre"]})), bundles, withdrawn)


def sum_estimates(store: Store) -> pd.DataFrame:
    """Count by centre and bundle: estimates, and those of patients with a finding of pathology."""
    sums = _sum(store)
    return sums.loc[sums["estimates"] > 0, ["centre", "bundle", *SUMMED[1:]]].reset_index(drop=True)


def _select_taken_back() -> Select[Any]:
    """Select the patients whose last entry of pathology's finding says nothing any more; by literals, as its index."""
    later = ENTRIES.alias("later")
    is_outcome: ColumnElement[str] = literal_column("'outcome'")
    follows = select(later.c.number).where(
        later.c.kind == is_outcome, later.c.patient == ENTRIES.c.patient, later.c.number > ENTRIES.c.number
    )
    said: ColumnElement[str] = literal_column(f"'{NOTHING_SAID}'")
    return select(ENTRIES.c.patient).where(
        ENTRIES.c.kind == is_outcome, ENTRIES.c.details == said, ~follows.correlate(ENTRIES).exists()
    )


def _is_known() -> ColumnElement[bool]:
    """Whether pathology's finding of an estimate's patient is known, and was not taken back."""
    return ESTIMATES.c.first_outcome.is_not(None) & ESTIMATES.c.patient.not_in(_select_taken_back())


def _sum(store: Store) -> pd.DataFrame:
    """Count by centre and bundle in one pass, the withdrawn ones too; a bundle has the name of its newest estimate."""
    keys, is_away = (ESTIMATES.c.centre, ESTIMATES.c.bundle_sha256), ESTIMATES.c.withdrawals > 0
    first, number = ESTIMATES.c.first_outcome, ESTIMATES.c.number
    counts = {
        "estimates": func.count(case((~is_away, 1))),
        "with_outcome": func.count(case((~is_away, first))),
        "withdrawn": func.count(case((is_away, 1))),
        "last": func.max(number),
    }
    query = select(*keys, *(count.label(name) for name, count in counts.items())).group_by(*keys).order_by(*keys)
    sums = pd.DataFrame([dict(row) for row in store.select(query)], columns=[*SUMMED, "withdrawn", "last"])
    sums["with_outcome"] -= _count_taken_back(store, sums)
    newest = sums.groupby("bundle_sha256")["last"].transform("max")
    named = store.select(select(number, ESTIMATES.c.bundle).where(number.in_(newest.unique().tolist())))
    return sums.assign(bundle=newest.map({row["number"]: row["bundle"] for row in named}))


def _count_taken_back(store: Store, sums: pd.DataFrame) -> "pd.Series[int]":
    """Count by centre and bundle the estimates of patients whose outcome was taken back."""
    keys = [ESTIMATES.c.centre, ESTIMATES.c.bundle_sha256]
    is_theirs = (ESTIMATES.c.withdrawals <= 0) & ESTIMATES.c.patient.in_(_select_taken_back())
    rows = store.select(select(*keys, func.count().label("n")).where(is_theirs).group_by(*keys))
    counts = {(row["centre"], row["bundle_sha256"]): int(row["n"]) for row in rows}
    own = [counts.get(key, 0) for key in zip(sums["centre"], sums["bundle_sha256"], strict=True)]
    return pd.Series(own, index=sums.index, dtype=int)


def count_entries(store: Store) -> dict[str, int]:
    """Count the register's entries by kind."""
    query = select(ENTRIES.c.kind, func.count().label("n")).where(ENTRIES.c.kind.in_(REGISTER)).group_by(ENTRIES.c.kind)
    counts = {row["kind"]: int(row["n"]) for row in store.select(query)}
    names = {"registered": "estimates", "outcome": "outcomes", "follow-up": "follow_ups"}
    told = {name: counts.get(kind, 0) for kind, name in names.items()}
    return told | {"withdrawn": count_estimates(store, Filter(withdrawn=True))}

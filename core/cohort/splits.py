"""Patients of a manifest to the parts of the data."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from core.errors import TableError
from models.cutoff import Cutoff

SPLIT_NAMES = {
    "train": "training split",
    "validation": "validation split",
    "test": "internal test",
    "external": "external test",
}
SPLITS = tuple(SPLIT_NAMES)
SPLIT_SHARES = (264 / 456, 96 / 456, 96 / 456)


def label_split(split: str) -> str:
    """Name a split in few words: "Training", "Internal test"; one that is not known by its own name."""
    return SPLIT_NAMES.get(split, split).removesuffix(" split").capitalize()


def iterate_splits(table: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """Give the rows of each split that a table has, from the training patients to the external ones."""
    parts = {str(name): part for name, part in table.groupby("split")}
    yield from ((name, parts[name]) for name in SPLITS if name in parts)


@dataclass(frozen=True)
class SplitRule:
    """How patients without a given split are assigned."""

    external: tuple[str, ...]  # centres held out as external test
    cutoff: Cutoff  # high Ki-67, by which the split is stratified together with the centre
    seed: int  # seed of the assignment


def assign_splits(rows: pd.DataFrame, patients: pd.DataFrame, rule: SplitRule) -> "pd.Series[str]":
    """Take the splits that the manifest gives, or draw them by patient."""
    given = rows.groupby("patient_id")["split"]
    sides = given.nunique(dropna=True)
    if (sides > 1).any():
        bad = rows.loc[rows["patient_id"].isin(sides.index[sides > 1]), "row"]
        raise TableError(
            f"{int((sides > 1).sum())} patient(s) stand on two sides of the split; give a patient's rows one split.",
            tuple((int(n), "patient on two sides of the split") for n in sorted(bad)),
        )
    split = given.first().reindex(patients.index)
    if split.notna().any() and split.isna().any():
        raise TableError(
            "Some patients have a split and some have none; fill the column for all of them or leave it out."
        )
    if split.notna().all():
        if set(rule.external) - set(patients.loc[split == "external", "centre"]):
            raise TableError(
                f"The manifest gives every patient's split, and patients of {', '.join(rule.external)} are not "
                "external in it: ignore its column split to have them held out, or name no external centre."
            )
        return split
    return _draw_splits(patients, rule)


def _draw_splits(patients: pd.DataFrame, rule: SplitRule) -> "pd.Series[str]":
    unknown = sorted(set(rule.external) - set(patients["centre"]))
    if unknown:
        raise TableError(
            f"No patient comes from external centre {', '.join(unknown)}; the centres are {_list(patients['centre'])}."
        )
    split = pd.Series("external", index=patients.index)
    internal = patients[~patients["centre"].isin(rule.external)]
    rng = np.random.default_rng(rule.seed)
    high = rule.cutoff.is_high(internal["ki67_pct"].astype(float))
    strata = internal["centre"] + high.map({True: "+", False: "-"})
    position = pd.Series(0.0, index=internal.index)
    for _, members in strata.groupby(strata):
        position[members.index] = (rng.permutation(len(members)) + rng.random(len(members))) / len(members)
    order = position.sort_values().index
    ends = np.round(np.cumsum(SPLIT_SHARES) * len(order)).astype(int)
    for name, start, end in zip(SPLITS, (0, *ends), ends, strict=False):
        split[order[start:end]] = name
    return split


def _list(values: Iterable[str]) -> str:
    return ", ".join(sorted(set(values)))

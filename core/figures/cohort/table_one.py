"""Table 1: who is in the cohort."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import pandas as pd

from core.cohort.splits import label_split
from core.evaluation import TableOneResult, ThresholdResult
from core.evaluation.cohort.labels import label_variable
from core.evaluation.cohort.results import KNOWN, describe_patients, describe_threshold
from core.evaluation.estimate import NOT_ESTIMABLE, write_number
from core.figures.cohort.exhibit import Exhibit, Patients

NO_YES = {"0", "1"}
SKEWED = 1.0
VERIFICATION = (
    "Verification bias: the model is judged on patients with a known outcome alone. Where the estimate, or what it is "
    "made of, decides who is operated on or followed, sensitivity and specificity are not those of all patients."
)


@dataclass(frozen=True, eq=False)
class TableOneExhibit(Exhibit):
    """Characteristics of the patients by split."""

    result: TableOneResult
    name: ClassVar[str] = "table_1"
    title: ClassVar[str] = "Table 1"

    @classmethod
    def of(cls, patients: Patients, **_: object) -> Self:
        """Describe the patients by split."""
        return cls(patients.name, describe_patients(patients.table, "split"))

    def tables(self) -> dict[str, pd.DataFrame]:
        """Give a row a variable or level, a column a group, missing counts, the largest standardised difference."""
        words = "Characteristics of the patients with missing counts and standardised differences"
        return {words: _lay_out(self.result)}

    def record(self) -> dict[str, object]:
        """Give the characteristics."""
        return {self.name: {"table": self.result.table, "differences": self.result.differences}}


@dataclass(frozen=True, eq=False)
class GroupTableExhibit(TableOneExhibit):
    """Characteristics of the patients by predicted group."""

    name: ClassVar[str] = "table_1_groups"
    title: ClassVar[str] = "Table 1 by predicted group"
    needs_groups: ClassVar[bool] = True
    threshold: ThresholdResult

    @classmethod
    def of(cls, patients: Patients, **_: object) -> Self:
        """Describe the patients by the group that the threshold makes."""
        cut = patients.threshold
        return cls(patients.name, describe_patients(patients.table, "group", cut.threshold), cut)

    def notes(self) -> list[str]:
        """Say where the threshold comes from."""
        return [describe_threshold(self.threshold)]


@dataclass(frozen=True, eq=False)
class SelectionExhibit(TableOneExhibit):
    """Characteristics of the patients whose outcome is known beside the others."""

    name: ClassVar[str] = "selection"
    title: ClassVar[str] = "Patients with and without a known outcome"

    @classmethod
    def of(cls, patients: Patients, **_: object) -> Self:
        """Describe the patients by whether their Ki-67 is known."""
        return cls(patients.name, describe_patients(patients.table, "outcome"))

    @classmethod
    def applies(cls, patients: Patients) -> bool:
        """Whether the outcome is known of some and not of others."""
        known = patients.table["y"].notna()
        return bool(known.any() and not known.all())

    def sentence(self) -> str:
        """Say of how many the outcome is known, and in what the others differ most."""
        n, known = sum(self.result.sizes.values()), self.result.sizes[KNOWN]
        said = f"Of {n:,} patients of {self.cohort} the outcome is known of {known:,} ({100 * known / n:.0f} %)."
        gaps = self.result.differences.dropna()
        if gaps.empty:
            return said
        most = gaps.sort_values("smd").iloc[-1]
        name, gap = label_variable(str(most["variable"])), write_number(float(most["smd"]), digits=2)
        return f"{said} They differ most in: {name} (standardised difference {gap})."

    def cautions(self) -> list[str]:
        """Say what that does to every other figure."""
        return [VERIFICATION]


def _lay_out(result: TableOneResult) -> pd.DataFrame:
    """Write a number as mean and deviation or median and quartiles, a choice as counts and per cent of those known."""
    gaps = dict(zip(result.differences["variable"], result.differences["smd"], strict=True))
    skewed = set(result.differences.loc[result.differences["skewness"].abs() >= SKEWED, "variable"])
    sizes = {group: f"{label_split(group)}, n = {n:,}" for group, n in result.sizes.items()}
    rows: list[dict[str, str]] = []
    for (variable, level), part in result.table.groupby(["variable", "level"], sort=False):
        first = not rows or rows[-1]["_variable"] != variable
        binary = set(result.table.loc[result.table["variable"] == variable, "level"]) == NO_YES
        if binary and level == "0":
            continue
        label, cells = label_variable(str(variable)), part.to_dict("records")
        if not level:
            label += ", median (quartiles)" if variable in skewed else ", mean (SD)"
        row = {"_variable": str(variable), "Characteristic": f"{label}: {level}" if level and not binary else label}
        written = {sizes[cell["group"]]: _write_cell(cell, skewed=variable in skewed) for cell in cells}
        row |= dict.fromkeys(sizes.values(), "") | written
        row["Missing"] = _write_missing({cell["group"]: cell["missing"] for cell in cells}) if first else ""
        row["Std. difference"] = write_number(gaps[variable], digits=2) if first else ""
        rows.append(row)
    return pd.DataFrame(rows, columns=["Characteristic", *sizes.values(), "Missing", "Std. difference"])


def _write_cell(cell: Mapping[Hashable, Any], *, skewed: bool) -> str:
    if pd.isna(cell["percent"] if cell["level"] else cell["median"]):
        return NOT_ESTIMABLE
    if cell["level"]:
        return f"{cell['count']:,} ({cell['percent']:.1f} %)"
    if skewed:
        return f"{cell['median']:.1f} ({cell['q1']:.1f} to {cell['q3']:.1f})"
    return f"{cell['mean']:.1f} ({write_number(cell['sd'], digits=1)})"


def _write_missing(missing: Mapping[str, int]) -> str:
    return ", ".join(f"{label_split(group)} {count:,}" for group, count in missing.items() if count) or "0"

"""The indeterminate range about the threshold, as a test result of its own."""

from dataclasses import dataclass
from typing import ClassVar, Self

import pandas as pd

from core.evaluation import compute_indeterminate
from core.evaluation.cohort.results import name_development
from core.evaluation.cohort.split import choose_indeterminate
from core.evaluation.estimate import write_estimate
from core.figures.cohort.exhibit import Exhibit, Patients

PLACES = {"inside": "Inside the range", "outside": "Outside", "all": "All patients"}
EMPTY = "nobody"


@dataclass(frozen=True, eq=False)
class IndeterminateExhibit(Exhibit):
    """How many fall into the indeterminate range, and how often the group is right inside and outside."""

    # low, high: its ends
    low: float
    high: float
    chosen_on: str  # the patients that it was chosen on
    places: dict[str, dict[str, float]]  # rows of `compute_indeterminate` by place
    name: ClassVar[str] = "indeterminate"
    title: ClassVar[str] = "Indeterminate range"
    keys: ClassVar[tuple[str, ...]] = ("indeterminate",)
    needs_groups: ClassVar[bool] = True

    @classmethod
    def of(cls, patients: Patients, **_: object) -> Self:
        """Choose the range on the development patients, and count these patients."""
        cut = float(patients.threshold.threshold or 0)
        low, high = choose_indeterminate(patients.whole, cut)
        table = patients.table
        found = compute_indeterminate(table["y"], table["prob"], threshold=cut, low=low, high=high)
        places = {str(place): {str(k): float(v) for k, v in row.items()} for place, row in found.iterrows()}
        return cls(patients.name, low, high, name_development(patients.whole), places)

    def sentence(self) -> str:
        """Say the share inside, and the accuracy inside and outside."""
        inside, everyone = self.places["inside"], self.places["all"]
        return (
            f"In {self.cohort} {inside['n']:,.0f} of {everyone['n']:,.0f} patients have a probability from "
            f"{100 * self.low:.1f} to {100 * self.high:.1f} %, the indeterminate range (chosen on {self.chosen_on}). "
            f"Accuracy of the predicted group: inside {self._write('inside')}; outside {self._write('outside')}."
        )

    def tables(self) -> dict[str, pd.DataFrame]:
        """Give a row a place."""
        rows = [
            [label, f"{self.places[place]['n']:,.0f}", f"{self.places[place]['events']:,.0f}", self._write(place)]
            for place, label in PLACES.items()
        ]
        columns = ["Patients", "n", "Events", "Accuracy (95 % CI)"]
        return {"Patients inside and outside the indeterminate range": pd.DataFrame(rows, columns=columns)}

    def record(self) -> dict[str, object]:
        """Give the range and the counts."""
        return {"indeterminate": {"low": self.low, "high": self.high, "chosen_on": self.chosen_on, **self.places}}

    def _write(self, place: str) -> str:
        row = self.places[place]
        if not row["n"]:
            return EMPTY
        return write_estimate(row["accuracy"], (row["ci_low"], row["ci_high"]), None, level=None)

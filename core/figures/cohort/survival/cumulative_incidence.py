"""Cumulative incidence of recurrence beside a competing event, by predicted group."""

from dataclasses import dataclass
from typing import ClassVar, Self

import pandas as pd
import plotly.graph_objects as go

from core.evaluation import IncidenceResult
from core.evaluation.cohort.survival import END_POINT, compute_incidence_curves
from core.evaluation.estimate import write_estimate
from core.figures.cohort.exhibit import Exhibit, Patients
from core.figures.cohort.survival.steps import add_steps
from core.figures.theme import PERCENT, new_figure
from core.figures.wording import word_count


@dataclass(frozen=True, eq=False)
class IncidenceExhibit(Exhibit):
    """The share of patients with a recurrence over time, where a competing event can come first."""

    result: IncidenceResult
    name: ClassVar[str] = "cumulative_incidence"
    title: ClassVar[str] = "Cumulative incidence of recurrence"
    needs: ClassVar[tuple[str, ...]] = END_POINT
    needs_groups: ClassVar[bool] = True

    @classmethod
    def applies(cls, patients: Patients) -> bool:
        """Whether the table names competing events."""
        return "rfs_competing" in patients.table and bool((patients.table["rfs_competing"] == 1).any())

    @classmethod
    def of(cls, patients: Patients, **_: object) -> Self:
        """Compute the incidence in the groups that the threshold makes."""
        return cls(patients.name, compute_incidence_curves(patients.table, float(patients.threshold.threshold or 0)))

    def figure(self) -> go.Figure:
        """Draw the incidence of each group with its band."""
        figure = new_figure(x_title="Months", y_title="Cumulative incidence of recurrence")
        for index, group in enumerate(self.result.totals["group"]):
            add_steps(figure, self.result.table[self.result.table["group"] == group], "incidence", str(group), index)
        top = self.result.table[["incidence", "ci_high"]].max().max()
        return figure.update_yaxes(range=[0, min(1.0, 1.05 * float(top or 1))], **PERCENT)

    def sentence(self) -> str:
        """Say n, both events and the incidence of each group at the last time that all are followed to."""
        followed = self.result.table[self.result.table["at_risk"] > 0].dropna(subset=["incidence"])
        last = followed.groupby("group", observed=True)["time"].max().min()
        at_last = followed[followed["time"] == last].set_index("group")
        parts = []
        for row in self.result.totals.to_dict("records"):
            counts = f"n = {row['n']:,}, {word_count(row['events'], 'recurrence')}, {row['competing']:,} competing"
            found = at_last.loc[row["group"]]
            limits = (found["ci_low"], found["ci_high"])
            share = write_estimate(found["incidence"], limits, "no event until then", percent=True)
            parts.append(f"{row['group']}: {counts}, incidence at {last:.0f} months {share}")
        return f"In {self.cohort}: {'; '.join(parts)}."

    def data(self) -> pd.DataFrame:
        """Give the curves."""
        return self.result.table

    def record(self) -> dict[str, object]:
        """Give curves and counts."""
        return {"cumulative_incidence": {"curves": self.result.table, "groups": self.result.totals}}

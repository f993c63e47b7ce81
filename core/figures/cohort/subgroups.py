"""Discrimination by subgroup: a forest plot and its numbers."""

import math
from dataclasses import dataclass
from typing import ClassVar, Self

import pandas as pd
import plotly.graph_objects as go

from core.evaluation import SubgroupResult
from core.evaluation.cohort.labels import label_variable
from core.evaluation.cohort.results import compute_cohort_subgroups
from core.evaluation.estimate import write_estimate, write_p
from core.figures.cohort.exhibit import Exhibit, Patients
from core.figures.theme import COLOURS, NEUTRAL, new_figure
from core.figures.wording import word_count

ROW_HEIGHT = 30
LEFT = 0.3
NO_SUBGROUPS = "No subgroups: the table has no centre, age, size or device in which these patients differ."


@dataclass(frozen=True, eq=False)
class SubgroupsExhibit(Exhibit):
    """The AUC with its interval for each subgroup, the whole cohort first."""

    result: SubgroupResult
    name: ClassVar[str] = "subgroups"
    title: ClassVar[str] = "Subgroups"
    ask: ClassVar[str] = "Compute the subgroups"
    is_extra: ClassVar[bool] = True

    @classmethod
    def of(cls, patients: Patients, **_: object) -> Self:
        """Compute subgroups by centre, age, size and device."""
        return cls(patients.name, compute_cohort_subgroups(patients.table))

    def figure(self) -> go.Figure:
        """Draw subgroups from top to bottom with n and events; those without an estimate have no mark."""
        table = self.result.table
        labels = [
            f"{'All patients' if row['family'] == 'all' else row['level']} ({row['events']:,} / {row['n']:,})"
            for row in table.to_dict("records")
        ]
        figure = new_figure(x_title="AUC; in brackets: events / patients", height=120 + ROW_HEIGHT * len(table))
        whole = table["family"] == "all"
        figure.add_scatter(
            x=table["auc"],
            y=list(range(len(table))),
            error_x={
                "type": "data",
                "symmetric": False,
                "array": (table["ci_high"] - table["auc"]).fillna(0),
                "arrayminus": (table["auc"] - table["ci_low"]).fillna(0),
                "color": COLOURS[0],
                "thickness": 2,
                "width": 4,
            },
            mode="markers",
            marker={
                "symbol": whole.map({True: "diamond", False: "square"}).tolist(),
                "size": whole.map({True: 13, False: 9}).tolist(),
                "color": COLOURS[0],
            },
            hovertemplate="AUC %{x:.3f}<extra></extra>",
            showlegend=False,
        )
        if not math.isnan(table["auc"].iloc[0]):
            figure.add_vline(x=float(table["auc"].iloc[0]), line={"color": NEUTRAL, "width": 1, "dash": "dot"})
        figure.update_xaxes(range=[min(LEFT, float(table[["auc", "ci_low"]].min().min()) - 0.02), 1.02])
        rows = {"tickvals": list(range(len(table))), "ticktext": labels, "range": [len(table) - 0.4, -0.6]}
        return figure.update_yaxes(**rows, showgrid=False, ticks="")

    def sentence(self) -> str:
        """Say the range of the estimates, how many could not be made, and the smallest corrected p value."""
        table = self.result.table
        levels, total = table[table["family"] != "all"], table.iloc[0]
        known = levels.dropna(subset=["auc"]).sort_values("auc")
        counts = f"n = {total['n']:,}, {word_count(int(total['events']), 'event')}"
        if levels.empty:
            return f"{NO_SUBGROUPS} In {self.cohort}: {counts}."
        if known.empty:
            return f"In {self.cohort} no subgroup gives an AUC; {counts}."
        ends = [f"{row['auc']:.3f} ({row['level']}, n = {row['n']:,})" for row in known.to_dict("records")]
        ran = f"ran from {ends[0]} to {ends[-1]}" if len(ends) > 1 else f"is known of one subgroup: {ends[0]}"
        text = f"In {self.cohort} the AUC {ran}"
        least, missing = levels["p_holm"].min(), len(levels) - len(known)
        if not math.isnan(least):
            text += f"; least Holm-corrected p value against the other patients of a family: {write_p(least)}"
        if missing:
            text += f"; {word_count(missing, 'subgroup')} without an estimate"
        return f"{text}; {counts}."

    def tables(self) -> dict[str, pd.DataFrame]:
        """Give discrimination and calibration of each subgroup."""
        rows = [
            [
                "All" if row["family"] == "all" else label_variable(row["family"]),
                row["level"],
                f"{row['n']:,}",
                f"{row['events']:,}",
                write_estimate(row["auc"], (row["ci_low"], row["ci_high"]), level=None),
                write_estimate(row["oe"], (row["oe_low"], row["oe_high"]), digits=2, level=None),
                write_estimate(row["slope"], (row["slope_low"], row["slope_high"]), digits=2, level=None),
                "" if math.isnan(row["p_holm"]) else write_p(row["p_holm"]),
                row["reason"] or "",
            ]
            for row in self.result.table.to_dict("records")
        ]
        names = ["Family", "Subgroup", "n", "Events", "AUC (95 % CI)", "O/E", "Slope"]
        names += ["Against the rest; Holm", "Note"]
        return {"Discrimination and calibration by subgroup": pd.DataFrame(rows, columns=names)}

    def data(self) -> pd.DataFrame:
        """Give a row a subgroup."""
        return self.result.table

    def record(self) -> dict[str, object]:
        """Give a row a subgroup."""
        return {"subgroups": self.result.table}

"""Kaplan-Meier curves in steps, with censor ticks, bands and the risk table aligned under them."""

from dataclasses import dataclass
from typing import ClassVar, Self

import pandas as pd
import plotly.graph_objects as go

from core.evaluation import KaplanMeierResult, SurvivalCurves, compute_survival_curves
from core.evaluation.cohort.survival import END_POINT, explain_rmst
from core.evaluation.estimate import NOT_ESTIMABLE, write_estimate, write_p
from core.evaluation.survival.kaplan_meier import find_common_time, hide_unseen
from core.evaluation.survival.logrank import LogRankResult
from core.figures.cohort.exhibit import Exhibit, Patients
from core.figures.cohort.survival.steps import add_steps
from core.figures.theme import PERCENT, new_figure, style_series
from core.figures.wording import thin_rows, word_count

CURVE_HEIGHT, ROW_HEIGHT = 380, 28
MAX_TICKS = 400


@dataclass(frozen=True, eq=False)
class KaplanMeierExhibit(Exhibit):
    """Recurrence-free survival by groups of the probability."""

    result: SurvivalCurves
    name: ClassVar[str] = "survival"
    keys: ClassVar[tuple[str, ...]] = ("survival",)
    needs: ClassVar[tuple[str, ...]] = END_POINT
    needs_groups: ClassVar[bool] = True

    @classmethod
    def of(cls, patients: Patients, *, cuts: tuple[float, ...] | None = None, **_: object) -> Self:
        """Compute curves and tests, by default of the groups that the threshold makes."""
        return cls(
            patients.name, compute_survival_curves(patients.table, cuts or (float(patients.threshold.threshold or 0),))
        )

    def figure(self) -> go.Figure:
        """Draw survival by group."""
        return draw_kaplan_meier(self.result.kaplan_meier)

    def sentence(self) -> str:
        """Say n, events and survival of each group, and the log-rank test."""
        curves, test = self.result.kaplan_meier, self.result.logrank
        time = find_common_time(curves)
        parts = [
            f"{row['group']}: n = {row['n']:,}, {word_count(row['events'], 'event')}"
            + ("" if time is None else f", event-free at {time:g} months {_describe_share(curves, row['group'], time)}")
            for row in curves.medians.to_dict("records")
        ]
        text = f"In {self.cohort}: {'; '.join(parts)}." if parts else f"No curve could be drawn. {curves.reason}"
        return (
            f"{text} Log-rank {write_p(test.p)}." if test.p is not None else f"{text} No log-rank test: {test.reason}"
        )

    def notes(self) -> list[str]:
        """Say the stratified test and how long the patients were followed."""
        by_centre, follow_up = self.result.logrank_by_centre, self.result.follow_up
        stratified = [] if by_centre is None else [_describe_stratified(by_centre)]
        reason = follow_up.reason or "a limit is not reached"
        median = write_estimate(follow_up.median, follow_up.ci, reason, digits=1)
        return [*stratified, f"Median follow-up (reverse Kaplan-Meier), months: {median}."]

    def tables(self) -> dict[str, pd.DataFrame]:
        """Give patients, events, median and restricted mean by group."""
        rmst, rows = self.result.rmst.table, []
        means = {mean["group"]: mean for mean in rmst.to_dict("records")}
        for row in self.result.kaplan_meier.medians.to_dict("records"):
            mean, restricted = means.get(row["group"]), NOT_ESTIMABLE
            if mean is not None:
                limits = (mean["ci_low"], mean["ci_high"])
                restricted = write_estimate(mean["rmst"], limits, explain_rmst(mean), digits=1, level=None)
            limits, why = (row["ci_low"], row["ci_high"]), "a limit is not reached"
            lacks = pd.isna(row["median"])
            median = "not reached" if lacks else write_estimate(row["median"], limits, why, digits=1, level=None)
            rows.append([str(row["group"]).capitalize(), f"{row['n']:,}", f"{row['events']:,}", median, restricted])
        tau = f"{rmst['tau'].iloc[0]:g}" if len(rmst) else "?"
        names = ["Group", "n", "Events", "Median, months (95 % CI)", f"Mean up to {tau} months (95 % CI)"]
        return {"Patients, events, median and mean by group": pd.DataFrame(rows, columns=names)}

    def data(self) -> pd.DataFrame:
        """Give the curves; limits where nothing has happened are none."""
        return hide_unseen(self.result.kaplan_meier.curve)

    def record(self) -> dict[str, object]:
        """Give curves, tests, restricted means and follow-up."""
        curves, meier = self.result, self.result.kaplan_meier
        test, by_centre, rmst = curves.logrank, curves.logrank_by_centre, curves.rmst
        fields = ("chisq", "df", "p", "reason")
        return {
            "survival": {
                "cuts": curves.cuts,
                "km": hide_unseen(meier.curve),
                "at_risk": hide_unseen(meier.at_times),
                "medians": meier.medians,
                "logrank": {name: getattr(test, name) for name in (*fields, "table")},
                "logrank_by_centre": by_centre and {name: getattr(by_centre, name) for name in fields},
                "rmst": {name: getattr(rmst, name) for name in ("table", "difference", "se", "ci", "p", "reason")},
                "follow_up": vars(curves.follow_up),
            }
        }


def draw_kaplan_meier(result: KaplanMeierResult) -> go.Figure:
    """Draw steps from (0, 1), log-log bands, censor ticks, and a row of numbers at risk a group under the time axis."""
    groups = list(result.medians["group"])
    rows = ROW_HEIGHT * (len(groups) + 1)
    height = CURVE_HEIGHT + rows + 60
    figure = new_figure(y_title="Recurrence-free survival", height=height)
    for index, group in enumerate(groups):
        _add_group(figure, str(group), result.curve[result.curve["group"] == group], index)
    last = float(result.curve["time"].max()) if len(result.curve) else 1.0
    figure.update_layout(
        xaxis={"title": {"text": "Months"}, "anchor": "y", "range": [-0.05 * last, 1.03 * last]},
        yaxis={"domain": [rows / height + 0.16, 1], "range": [0, 1.02], **PERCENT},
    )
    _add_risk_table(figure, result.at_times, groups, rows / height)
    return figure


def _describe_stratified(test: LogRankResult) -> str:
    why = f": {test.reason.rstrip('.')}" if test.reason else ""
    return f"Stratified by centre: log-rank {write_p(test.p)}{why}."


def _describe_share(result: KaplanMeierResult, group: str, time: float) -> str:
    """Survival of a group at a time with its interval and the number at risk."""
    shown = hide_unseen(result.at_times)
    row = shown[(shown["group"] == group) & (shown["time"] == time)].iloc[0]
    reason = "no event until then" if row["survival"] == 1 else "everybody had the event"
    limits = (row["ci_low"], row["ci_high"])
    share = write_estimate(row["survival"], limits, reason, level=result.conf_level, percent=True)
    return f"{share}, {row['at_risk']:,} at risk"


def _add_group(figure: go.Figure, group: str, curve: pd.DataFrame, index: int) -> None:
    add_steps(figure, thin_rows(hide_unseen(curve)), "survival", group, index)
    ticks = thin_rows(curve[curve["censored"] > 0], MAX_TICKS)
    colour = style_series(index)["line"]["color"]
    figure.add_scatter(
        x=ticks["time"],
        y=ticks["survival"],
        mode="markers",
        marker={"symbol": "line-ns-open", "size": 8, "color": colour, "line": {"width": 1.5}},
        name=f"{group}: censored",
        legendgroup=group,
        showlegend=False,
        hoverinfo="skip",
    )


def _add_risk_table(figure: go.Figure, at_times: pd.DataFrame, groups: list[str], top: float) -> None:
    """Write the numbers at risk under the tick of each time, on the curve's own time axis."""
    for row, group in enumerate(groups):
        own = at_times[at_times["group"] == group]
        figure.add_scatter(
            x=own["time"],
            y=[row] * len(own),
            yaxis="y2",
            mode="text",
            text=[f"{n:,}" for n in own["at_risk"]],
            textposition="middle center",
            cliponaxis=False,
            showlegend=False,
            hoverinfo="skip",
            name=f"{group}: at risk",
        )
    figure.update_layout(
        xaxis={"tickvals": sorted(at_times["time"].unique())} if len(at_times) else {},
        yaxis2={
            "domain": [0, top],
            "anchor": "x",
            "range": [len(groups) - 0.4, -0.9],
            "tickvals": list(range(len(groups))),
            "ticktext": [str(group)[:1].upper() + str(group)[1:] for group in groups],
            "ticks": "",
            "showgrid": False,
            "showline": False,
            "fixedrange": True,
        },
    )
    figure.add_annotation(
        text="Number at risk", x=0, y=-0.75, xref="x", yref="y2", showarrow=False, xanchor="left", yanchor="middle"
    )

"""Decision curves: net benefit over threshold probabilities, and the gain over another model."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import ClassVar, Literal, Self

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from core.evaluation import DecisionCurveResult, NetBenefitDifference
from core.evaluation.cohort.labels import write_within
from core.evaluation.cohort.net_benefit import compute_gain, compute_net_benefit
from core.evaluation.cohort.results import label_model
from core.evaluation.cohort.split import MAIN, PARTS, list_models
from core.evaluation.estimate import write_number
from core.figures.cohort.exhibit import Exhibit, Patients, style_models
from core.figures.theme import COLOURS, NEUTRAL, fill_colour, new_figure, style_series
from core.figures.wording import word_count, write_threshold

KI67_RANGE, NODE_RANGE = (0.20, 0.70), (0.05, 0.30)
FLOOR = -0.05
EDGE_SHARE = 0.04
DECIMALS = 6
POINTS = 6
REFERENCES = {"all": ("Treat all", "dash"), "none": ("Treat none", "dot")}
Limits = tuple[float, float]
Measure = Literal["net_benefit", "standardized_net_benefit", "interventions_avoided"]
MEASURES: dict[Measure, str] = {
    "net_benefit": "Net benefit",
    "standardized_net_benefit": "Standardised net benefit",
    "interventions_avoided": "Interventions avoided per 100 patients",
}


@dataclass(frozen=True, eq=False)
class BenefitExhibit(Exhibit):
    """Net benefit of each model, of treating all and of treating none; the base of every decision curve."""

    result: DecisionCurveResult  # net benefit over thresholds, models by their name in the table
    limits: Limits  # range of thresholds that matter clinically
    threshold: float | None = None  # the model's threshold, marked by a line
    # "net_benefit", "standardized_net_benefit", "interventions_avoided", what to draw: net benefit, its share of the
    # prevalence, or interventions avoided against treating all
    measure: Measure = "net_benefit"

    def figure(self) -> go.Figure:
        """Draw net benefit from a little below 0, interventions avoided over their whole range."""
        table = self.data()
        table = table[table["threshold"].between(*self.limits)].assign(shown=lambda rows: rows[self.measure])
        figure = new_figure(x_title="Threshold probability", y_title=MEASURES[self.measure])
        for model, (name, dash) in REFERENCES.items():
            rows = table[table["model"] == model]
            line = {"color": NEUTRAL, "dash": dash, "width": 1.5}
            figure.add_scatter(x=rows["threshold"], y=rows["shown"], mode="lines", line=line, name=name)
        for model, style in style_models(self.models).items():
            rows = table[table["model"] == model]
            figure.add_scatter(
                x=rows["threshold"],
                y=rows["shown"],
                mode="lines",
                line=style["line"],
                customdata=rows[["net_benefit", "interventions_avoided"]],
                name=model[:1].upper() + model[1:],
                hovertemplate="threshold %{x:.2f}<br>net benefit %{customdata[0]:.3f}<br>"
                "%{customdata[1]:.0f} interventions avoided per 100<extra>%{fullData.name}</extra>",
            )
        low, top = table["shown"].min(), table["shown"].max()
        if self.measure != "interventions_avoided":
            top = max(top, -FLOOR) if table["shown"].notna().any() else 0.1
            low = FLOOR * max(1, 2 * top)
            figure.update_yaxes(range=[low, 1.08 * top])
        if self.threshold is not None and self.limits[0] <= self.threshold <= self.limits[1]:
            line, name = {"color": NEUTRAL, "width": 1, "dash": "dashdot"}, f"Threshold {self.threshold:.3f}"
            figure.add_scatter(x=[self.threshold] * 2, y=[low, 1.08 * top], mode="lines", line=line, name=name)
        figure.update_yaxes(zeroline=True, zerolinecolor=NEUTRAL, zerolinewidth=1)
        return figure.update_xaxes(range=_leave_room(*self.limits))

    def sentence(self) -> str:
        """Say where each model is worth more than treating all and none."""
        result, wide = self.result, self._spread()
        if wide.isna().all(axis=None):
            return f"No net benefit could be estimated. {result.reason or ''}".strip()
        best = wide[["all", "none"]].max(axis=1)
        parts = [
            f"{model} is above treating all and treating none at {(wide[model] > best + 1e-12).sum()} of {len(wide)} "
            "thresholds"
            for model in self.models
        ]
        counts = f"n = {result.n:,} complete {word_count(result.n, 'patient').split(' ')[1]}"
        if result.prevalence is not None:
            what = "prevalence" if result.horizon is None else f"Kaplan-Meier risk by {result.horizon:g} months"
            counts += f", {what} {100 * result.prevalence:.1f} %"
        low, high = map(write_threshold, self.limits)
        text = f"In {self.cohort}, for thresholds from {low} to {high}: {'; '.join(parts)}; {counts}."
        return f"{text} {result.reason}" if result.reason else text

    def cautions(self) -> list[str]:
        """Say at which thresholds the combined model's net benefit lies below that of a part of it."""
        wide, main, sentences = self._spread(), label_model(MAIN), []
        for part in (name for name in map(label_model, PARTS) if {name, main} <= set(wide)):
            below = wide.index[wide[main] < wide[part] - 1e-12]
            if len(below):
                where = _write_runs(wide.index.to_list(), set(below))
                sentences.append(
                    f"In {self.cohort} the combined model's net benefit lies below that of a part of it, "
                    f"{write_within(part)}, at {len(below)} of {len(wide)} thresholds ({where}); n = {self.result.n:,}."
                )
        return sentences

    def tables(self) -> dict[str, pd.DataFrame]:
        """Give net benefit at a few thresholds."""
        return {"Net benefit at a few thresholds": tabulate_net_benefit(self.data(), self.points)}

    def data(self) -> pd.DataFrame:
        """Give the curves, models by their label."""
        return self.result.table.assign(model=self.result.table["model"].map(label_model))

    @property
    def models(self) -> list[str]:
        """Labels of the models."""
        return [label_model(name) for name in self.result.table["model"].unique() if name not in REFERENCES]

    @property
    def points(self) -> list[float]:
        """Thresholds of the table: evenly spread over the range drawn."""
        low, high = self.limits
        grid = np.sort(self.result.table["threshold"].unique())
        inside = grid[(grid >= low - 1e-9) & (grid <= high + 1e-9)]
        if not len(inside):
            return []
        places = np.unique(np.linspace(0, len(inside) - 1, POINTS).round().astype(int))
        return [float(inside[place]) for place in places]

    def _spread(self) -> pd.DataFrame:
        """Net benefit within the limits, a column a model."""
        wide = self.data().pivot(index="threshold", columns="model", values="net_benefit")
        return wide[(wide.index >= self.limits[0]) & (wide.index <= self.limits[1])]


@dataclass(frozen=True, eq=False)
class DecisionCurveExhibit(BenefitExhibit):
    """Net benefit of the Ki-67 models."""

    harm: float = 0.0
    name: ClassVar[str] = "decision_curve"

    @classmethod
    def of(
        cls,
        patients: Patients,
        *,
        limits: Limits = KI67_RANGE,
        measure: Measure = "net_benefit",
        prevalence: float | None = None,
        harm: float = 0.0,
        **_: object,
    ) -> Self:
        """Compute net benefit, by default at the patients' own prevalence and without harm."""
        result = compute_net_benefit(patients.table, prevalence, harm)
        return cls(patients.name, result, limits, patients.threshold.threshold, measure, harm)

    def notes(self) -> list[str]:
        """Say which row of the table is the threshold."""
        own = self._own
        return (
            [] if own is None else [f"The row {own:.2f} is the threshold of {self.threshold:.3f}, rounded to the grid."]
        )

    @property
    def points(self) -> list[float]:
        """Thresholds of the table, the model's own among them."""
        own = self._own
        return sorted({*(round(point, 2) for point in super().points), *([] if own is None else [own])})

    @property
    def _own(self) -> float | None:
        return None if self.threshold is None else round(min(max(self.threshold, 0.01), 0.99), 2)

    def record(self) -> dict[str, object]:
        """Give the curves, models by their name in the table."""
        result = self.result
        given = {"decision_curve_prevalence": result.prevalence, "decision_curve_harm": self.harm}
        return {"decision_curve": result.table, "decision_curve_n": result.n} | given


@dataclass(frozen=True, eq=False)
class GainExhibit(Exhibit):
    """Net benefit of the main model minus that of another, with a band from bootstrap samples."""

    result: NetBenefitDifference
    other: str
    name: ClassVar[str] = "net_benefit_difference"
    title: ClassVar[str] = "Gain over another model"
    is_extra: ClassVar[bool] = True

    @classmethod
    def applies(cls, patients: Patients) -> bool:
        """Whether the table has another model."""
        return bool(list_models(patients.table))

    @classmethod
    def of(cls, patients: Patients, *, other: str | None = None, limits: Limits = KI67_RANGE, **_: object) -> Self:
        """Compare with another model, the table's first by default."""
        chosen = other or list_models(patients.table)[0]
        return cls(patients.name, compute_gain(patients.table, chosen, *limits), chosen)

    def figure(self) -> go.Figure:
        """Draw the difference over threshold probability."""
        table = self.result.table
        figure = new_figure(x_title="Threshold probability", y_title="Difference in net benefit")
        figure.add_scatter(
            x=[*table["threshold"], *table["threshold"][::-1]],
            y=[*table["ci_high"], *table["ci_low"][::-1]],
            fill="toself",
            fillcolor=fill_colour(COLOURS[0]),
            line={"width": 0},
            mode="lines",
            name="95 % band",
            hoverinfo="skip",
        )
        line = style_series(0)["line"]
        figure.add_scatter(x=table["threshold"], y=table["difference"], mode="lines", line=line, name="Difference")
        if not table.empty:
            figure.update_xaxes(range=_leave_room(table["threshold"].min(), table["threshold"].max()))
        return figure.update_yaxes(zeroline=True, zerolinecolor=NEUTRAL, zerolinewidth=1)

    def sentence(self) -> str:
        """Say which models are compared, and at how many thresholds the band lies on one side of 0."""
        table = self.result.table.dropna()
        above, below = int((table["ci_low"] > 0).sum()), int((table["ci_high"] < 0).sum())
        sides = f" lies above 0 at {above} and below 0 at {below} of {len(table)} thresholds" if len(table) else ""
        other = write_within(label_model(self.other))
        return (
            f"Net benefit of the model minus that of {other} in {self.cohort}: the 95 % band of "
            f"{self.result.n_boot:,} bootstrap samples{sides}; n = {self.result.n:,}. {self.result.reason or ''}"
        ).strip()

    def data(self) -> pd.DataFrame:
        """Give the difference with its band."""
        return self.result.table

    def record(self) -> dict[str, object]:
        """Give the other model, and the difference with its band."""
        return {"net_benefit_difference": {"other": self.other, "curve": self.result.table}}


def tabulate_net_benefit(table: pd.DataFrame, thresholds: Sequence[float]) -> pd.DataFrame:
    """List net benefit of every model at a few thresholds, with the interventions that the first model avoids."""
    table = table.assign(threshold=table["threshold"].round(DECIMALS))
    wide = table.pivot_table(index="threshold", columns="model", values="net_benefit", sort=False)
    chosen = wide.reindex([round(threshold, DECIMALS) for threshold in thresholds])
    shown = chosen.map(write_number).rename(columns={model: name for model, (name, _) in REFERENCES.items()})
    main = next((name for name in wide.columns if name not in REFERENCES), None)
    if main is not None:
        avoided = table[table["model"] == main].set_index("threshold")["interventions_avoided"].reindex(chosen.index)
        shown[f"{main}: interventions avoided per 100"] = [write_number(value, digits=1) for value in avoided]
    shown.insert(0, "Threshold", [write_threshold(threshold) for threshold in chosen.index])
    return shown.reset_index(drop=True).rename_axis(columns=None)


def _write_runs(grid: Sequence[float], chosen: set[float]) -> str:
    """Write neighbouring thresholds as one range: "0.30, 0.63 to 0.70"."""
    runs = [list(run) for inside, run in groupby(grid, key=chosen.__contains__) if inside]
    ends = [[write_threshold(end) for end in dict.fromkeys((run[0], run[-1]))] for run in runs]
    return ", ".join(" to ".join(pair) for pair in ends)


def _leave_room(low: float, high: float) -> list[float]:
    """Widen the axis so that its last label is not cut off."""
    room = EDGE_SHARE * (high - low)
    return [low - room, high + room]

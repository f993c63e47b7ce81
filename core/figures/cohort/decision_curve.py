"""Decision curves: net benefit over threshold probabilities."""

from typing import Literal

import plotly.graph_objects as go

from core.evaluation import DecisionCurveResult, NetBenefitDifference
from core.figures.theme import COLOURS, NEUTRAL, fill_colour, new_figure, style_series
from core.figures.wording import word_count, write_threshold

KI67_RANGE, NODE_RANGE = (0.20, 0.70), (0.05, 0.30)
FLOOR = -0.05
EDGE_SHARE = 0.04
REFERENCES = {"all": ("Treat all", "dash"), "none": ("Treat none", "dot")}
Measure = Literal["net_benefit", "standardized_net_benefit", "interventions_avoided"]
MEASURES: dict[Measure, str] = {
    "net_benefit": "Net benefit",
    "standardized_net_benefit": "Standardised net benefit",
    "interventions_avoided": "Interventions avoided per 100 patients",
}


def plot_decision_curve(
    result: DecisionCurveResult,
    *,
    limits: tuple[float, float] = KI67_RANGE,
    threshold: float | None = None,
    measure: Measure = "net_benefit",
) -> go.Figure:
    """Draw net benefit of each model, of treating all and of treating none.

    Parameters
    ----------
    result : DecisionCurveResult
        Net benefit over thresholds.
    limits : tuple of float
        Range of thresholds that matter clinically, stated under the figure.
    threshold : float, optional
        The model's threshold, marked by a line.
    measure : {"net_benefit", "standardized_net_benefit", "interventions_avoided"}
        What to draw: net benefit, its share of the prevalence, or interventions avoided against treating all.

    Returns
    -------
    Figure
        Net benefit from a little below 0; interventions avoided over their whole range.
    """
    table = result.table[result.table["threshold"].between(*limits)].assign(shown=lambda rows: rows[measure])
    figure = new_figure(x_title="Threshold probability", y_title=MEASURES[measure])
    for model, (name, dash) in REFERENCES.items():
        rows = table[table["model"] == model]
        line = {"color": NEUTRAL, "dash": dash, "width": 1.5}
        figure.add_scatter(x=rows["threshold"], y=rows["shown"], mode="lines", line=line, name=name)
    models = [name for name in table["model"].unique() if name not in REFERENCES]
    for index, model in enumerate(models):
        rows = table[table["model"] == model]
        figure.add_scatter(
            x=rows["threshold"],
            y=rows["shown"],
            mode="lines",
            line=style_series(index)["line"],
            customdata=rows[["net_benefit", "interventions_avoided"]],
            name=model[:1].upper() + model[1:],
            hovertemplate="threshold %{x:.2f}<br>net benefit %{customdata[0]:.3f}<br>"
            "%{customdata[1]:.0f} interventions avoided per 100<extra>%{fullData.name}</extra>",
        )
    if threshold is not None and limits[0] <= threshold <= limits[1]:
        figure.add_vline(x=threshold, line={"color": COLOURS[1], "width": 1, "dash": "dashdot"})
    if measure != "interventions_avoided":
        top = max(table["shown"].max(), -FLOOR) if table["shown"].notna().any() else 0.1
        figure.update_yaxes(range=[FLOOR * max(1, 2 * top), 1.08 * top])
    figure.update_yaxes(zeroline=True, zerolinecolor=NEUTRAL, zerolinewidth=1)
    figure.update_xaxes(range=_leave_room(*limits))
    return figure


def describe_decision_curve(
    result: DecisionCurveResult, *, cohort: str = "this cohort", limits: tuple[float, float] = KI67_RANGE
) -> str:
    """Say where each model is worth more than treating all and none.

    Parameters
    ----------
    result : DecisionCurveResult
        Net benefit over thresholds.
    cohort : str
        Name of the patients.
    limits : tuple of float
        Range of thresholds drawn.

    Returns
    -------
    str
        Sentences with n and the share of positives.
    """
    wide = result.table.pivot(index="threshold", columns="model", values="net_benefit")
    wide = wide[(wide.index >= limits[0]) & (wide.index <= limits[1])]
    if wide.isna().all(axis=None):
        return f"No net benefit could be estimated. {result.reason or ''}".strip()
    best = wide[["all", "none"]].max(axis=1)
    parts = []
    for model in (name for name in result.table["model"].unique() if name not in REFERENCES):
        better = int((wide[model] > best + 1e-12).sum())
        parts.append(f"{model} is above treating all and treating none at {better} of {len(wide)} thresholds")
    counts = f"n = {result.n:,} complete {word_count(result.n, 'patient').split(' ')[1]}"
    if result.prevalence is not None:
        what = "prevalence" if result.horizon is None else f"Kaplan-Meier risk by {result.horizon:g} months"
        counts += f", {what} {100 * result.prevalence:.1f} %"
    low, high = map(write_threshold, limits)
    text = f"In {cohort}, for thresholds from {low} to {high}: {'; '.join(parts)}; {counts}."
    return f"{text} {result.reason}" if result.reason else text


def find_range(result: DecisionCurveResult) -> tuple[float, float]:
    """Give the range of thresholds that a curve was computed for."""
    return float(result.table["threshold"].min()), float(result.table["threshold"].max())


def plot_net_benefit_difference(result: NetBenefitDifference) -> go.Figure:
    """Draw the difference in net benefit of two models with its band.

    Parameters
    ----------
    result : NetBenefitDifference
        First model minus second.

    Returns
    -------
    Figure
        Difference over threshold probability.
    """
    table = result.table
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
    figure.update_yaxes(zeroline=True, zerolinecolor=NEUTRAL, zerolinewidth=1)
    if not table.empty:
        figure.update_xaxes(range=_leave_room(table["threshold"].min(), table["threshold"].max()))
    return figure


def _leave_room(low: float, high: float) -> list[float]:
    """Widen the axis so that its last label is not cut off."""
    room = EDGE_SHARE * (high - low)
    return [low - room, high + room]

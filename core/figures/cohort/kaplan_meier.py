"""Kaplan-Meier curves in steps, with censor ticks, bands and the risk table aligned under them."""

import pandas as pd
import plotly.graph_objects as go

from core.evaluation import KaplanMeierResult, LogRankResult
from core.evaluation.estimate import write_estimate, write_p
from core.evaluation.survival.kaplan_meier import find_common_time, hide_unseen
from core.figures.theme import fill_colour, new_figure, style_series
from core.figures.wording import thin_rows, word_count

CURVE_HEIGHT, ROW_HEIGHT = 380, 28
MAX_TICKS = 400


def plot_kaplan_meier(
    result: KaplanMeierResult, *, time_label: str = "Months", outcome: str = "Recurrence-free survival"
) -> go.Figure:
    """Draw survival by group with numbers at risk.

    Parameters
    ----------
    result : KaplanMeierResult
        Curves, and at `at_times` the numbers at risk.
    time_label, outcome : str
        Titles of the axes.

    Returns
    -------
    Figure
        Steps from (0, 1), log-log bands, censor ticks, and one row of numbers a group under the time axis.
    """
    groups = list(result.medians["group"])
    rows = ROW_HEIGHT * (len(groups) + 1)
    height = CURVE_HEIGHT + rows + 60
    figure = new_figure(y_title=outcome, height=height)
    for index, group in enumerate(groups):
        _add_group(figure, str(group), result.curve[result.curve["group"] == group], index)
    table_top = rows / height
    last = float(result.curve["time"].max()) if len(result.curve) else 1.0
    figure.update_layout(
        xaxis={"title": {"text": time_label}, "anchor": "y", "range": [-0.05 * last, 1.03 * last]},
        yaxis={"domain": [table_top + 0.16, 1], "range": [0, 1.02], "tickformat": ".0%"},
    )
    _add_risk_table(figure, result.at_times, groups, table_top)
    return figure


def describe_kaplan_meier(
    result: KaplanMeierResult,
    logrank: LogRankResult | None = None,
    *,
    cohort: str = "this cohort",
    unit: str = "months",
) -> str:
    """Say what the curves show.

    Parameters
    ----------
    result : KaplanMeierResult
        Curves by group.
    logrank : LogRankResult, optional
        Test between the groups.
    cohort : str
        Name of the patients.
    unit : str
        Unit of time.

    Returns
    -------
    str
        Sentences with n, events and intervals.
    """
    time = find_common_time(result)
    parts = [
        f"{row['group']}: n = {row['n']:,}, {word_count(row['events'], 'event')}"
        + ("" if time is None else f", event-free at {time:g} {unit} {_describe_share(result, row['group'], time)}")
        for row in result.medians.to_dict("records")
    ]
    text = f"In {cohort}: {'; '.join(parts)}." if parts else f"No curve could be drawn. {result.reason}"
    if logrank is not None:
        text += f" Log-rank {write_p(logrank.p)}." if logrank.p is not None else f" No log-rank test: {logrank.reason}"
    return text


def _describe_share(result: KaplanMeierResult, group: str, time: float) -> str:
    """Survival of a group at a time with its interval and the number at risk."""
    shown = hide_unseen(result.at_times)
    row = shown[(shown["group"] == group) & (shown["time"] == time)].iloc[0]
    reason = "no event until then" if row["survival"] == 1 else "everybody had the event"
    limits = (row["ci_low"], row["ci_high"])
    share = write_estimate(row["survival"], limits, reason, level=result.conf_level, percent=True)
    return f"{share}, {row['at_risk']:,} at risk"


def _add_group(figure: go.Figure, group: str, curve: pd.DataFrame, index: int) -> None:
    style = style_series(index)
    steps = thin_rows(hide_unseen(curve))
    band = steps.dropna(subset=["ci_low", "ci_high"])
    for limit, fill in (("ci_high", None), ("ci_low", "tonexty")):
        figure.add_scatter(
            x=band["time"],
            y=band[limit],
            mode="lines",
            line={"width": 0, "shape": "hv"},
            fill=fill,
            fillcolor=fill_colour(str(style["line"]["color"]), 0.13),
            legendgroup=group,
            showlegend=False,
            hoverinfo="skip",
        )
    figure.add_scatter(
        x=steps["time"],
        y=steps["survival"],
        mode="lines",
        line={**style["line"], "shape": "hv"},
        customdata=steps[["at_risk"]],
        name=group[:1].upper() + group[1:],
        legendgroup=group,
        hovertemplate="%{x:.1f}: %{y:.1%}, %{customdata[0]} at risk<extra>" + group + "</extra>",
    )
    ticks = thin_rows(curve[curve["censored"] > 0], MAX_TICKS)
    figure.add_scatter(
        x=ticks["time"],
        y=ticks["survival"],
        mode="markers",
        marker={"symbol": "line-ns-open", "size": 8, "color": style["line"]["color"], "line": {"width": 1.5}},
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

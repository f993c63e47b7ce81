"""A forest plot of the AUC by subgroup."""

import math

import plotly.graph_objects as go

from core.evaluation import SubgroupResult
from core.figures.theme import COLOURS, NEUTRAL, new_figure
from core.figures.wording import word_count

ROW_HEIGHT = 30


def plot_forest(result: SubgroupResult) -> go.Figure:
    """Draw the AUC with its interval for each subgroup.

    Parameters
    ----------
    result : SubgroupResult
        One row a subgroup, the whole cohort first.

    Returns
    -------
    Figure
        Subgroups from top to bottom with n and events; those without an estimate are listed without a mark.
    """
    table = result.table
    labels = [
        f"{row['level']} ({row['events']:,} / {row['n']:,})"
        if row["family"] != "all"
        else f"All patients ({row['events']:,} / {row['n']:,})"
        for row in table.to_dict("records")
    ]
    figure = new_figure(x_title="AUC", height=120 + ROW_HEIGHT * len(table))
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
            "symbol": ["diamond" if family == "all" else "square" for family in table["family"]],
            "size": [13 if family == "all" else 9 for family in table["family"]],
            "color": COLOURS[0],
        },
        hovertemplate="AUC %{x:.3f}<extra></extra>",
        showlegend=False,
    )
    whole = table["auc"].iloc[0]
    if not math.isnan(whole):
        figure.add_vline(x=float(whole), line={"color": NEUTRAL, "width": 1, "dash": "dot"})
    figure.update_xaxes(range=[0.3, 1.02])
    figure.update_yaxes(
        tickvals=list(range(len(table))), ticktext=labels, range=[len(table) - 0.4, -0.6], showgrid=False, ticks=""
    )
    return figure


def describe_forest(result: SubgroupResult, *, cohort: str = "this cohort") -> str:
    """Say what the forest plot shows.

    Parameters
    ----------
    result : SubgroupResult
        One row a subgroup, the whole cohort first.
    cohort : str
        Name of the patients.

    Returns
    -------
    str
        Range of the estimates, how many could not be made, and the smallest corrected p value.
    """
    levels = result.table[result.table["family"] != "all"]
    known = levels.dropna(subset=["auc"])
    total = result.table.iloc[0]
    counts = f"n = {total['n']:,}, {word_count(int(total['events']), 'event')}"
    if known.empty:
        return f"In {cohort} no subgroup gives an AUC; {counts}."
    ordered = known.sort_values("auc")
    low, high = ordered.iloc[0], ordered.iloc[-1]
    text = f"In {cohort} the AUC ran from {low['auc']:.3f} ({low['level']}) to {high['auc']:.3f} ({high['level']})"
    least = levels["p_holm"].min()
    if not math.isnan(least):
        text += f"; smallest Holm-corrected p against the other patients of its family {least:.3f}"
    missing = len(levels) - len(known)
    if missing:
        text += f"; {word_count(missing, 'subgroup')} without an estimate"
    return f"{text}; {counts}."

"""Node metastasis by predicted group."""

import pandas as pd
import plotly.graph_objects as go

from core.evaluation import ConfusionResult, LymphNodeResult, RocResult
from core.evaluation.estimate import write_estimate, write_p
from core.figures.cohort.roc import plot_roc
from core.figures.theme import COLOURS, NEUTRAL, new_figure, style_series
from core.figures.wording import thin_rows, word_count

BARS = {"high": (COLOURS[1], "/"), "low": (COLOURS[0], "")}


def plot_lymph_nodes(result: LymphNodeResult) -> go.Figure:
    """Draw the rate of node metastasis in the predicted groups.

    Parameters
    ----------
    result : LymphNodeResult
        Rates by group.

    Returns
    -------
    Figure
        One bar a group with its Wilson interval and its counts.
    """
    figure = new_figure(x_title="Predicted Ki-67 group", y_title="Node metastasis")
    for row in result.rates.dropna(subset=["rate"]).to_dict("records"):
        colour, pattern = BARS[row["group"]]
        figure.add_bar(
            x=[f"{row['group'].capitalize()}<br>{row['events']} of {row['n']}"],
            y=[row["rate"]],
            error_y={
                "type": "data",
                "symmetric": False,
                "array": [row["ci_high"] - row["rate"]],
                "arrayminus": [row["rate"] - row["ci_low"]],
                "color": NEUTRAL,
                "thickness": 2,
                "width": 8,
            },
            marker={"color": colour, "opacity": 0.55, "pattern": {"shape": pattern, "fillmode": "overlay"}},
            width=0.5,
            name=row["group"].capitalize(),
            hovertemplate="%{y:.1%}<extra></extra>",
            showlegend=False,
        )
    figure.update_yaxes(range=[0, 1], tickformat=".0%")
    return figure


def plot_node_roc(result: LymphNodeResult) -> go.Figure:
    """Draw the ROC curves of what predicts node metastasis, and the binary predictors as points.

    Parameters
    ----------
    result : LymphNodeResult
        The first curve has the band: the dedicated head if there is one, else the Ki-67 probability.

    Returns
    -------
    Figure
        Sensitivity over 1 - specificity.
    """
    curves = list_node_curves(result)
    (name, first), *others = curves.items()
    figure = plot_roc(first, name=name, others=dict(others))
    points: dict[str, ConfusionResult | None] = {
        "Predicted Ki-67 group": result.group_classifier,
        "Axillary ultrasound": result.ultrasound,
    }
    for index, (label, point) in enumerate(points.items(), start=len(curves)):
        if point is not None:
            value = point.metrics["value"]
            figure.add_scatter(
                x=[1 - value["specificity"]],
                y=[value["sensitivity"]],
                mode="markers",
                marker={**style_series(index)["marker"], "size": 12},
                name=label,
                hovertemplate="sensitivity %{y:.3f}<br>1 - specificity %{x:.3f}<extra></extra>",
            )
    return figure


def describe_node_roc(result: LymphNodeResult, *, cohort: str = "this cohort") -> str:
    """Say how well each score tells node metastasis.

    Parameters
    ----------
    result : LymphNodeResult
        Curves and points.
    cohort : str
        Name of the patients.

    Returns
    -------
    str
        AUC with interval of each score, with n and events.
    """
    parts = [
        f"{name} {write_estimate(roc.auc, roc.auc_ci, roc.reason, level=roc.conf_level)}"
        for name, roc in list_node_curves(result).items()
    ]
    counts = f"n = {result.n:,}, {word_count(result.events, 'patient')} with metastasis"
    return f"In {cohort} the AUC for node metastasis was: {'; '.join(parts)}; {counts}."


def tabulate_node_curves(result: LymphNodeResult) -> pd.DataFrame:
    """Stack the ROC curves of the scores, thinned for the screen, with the score's name in the first column."""
    curves = [thin_rows(roc.curve).assign(score=name) for name, roc in list_node_curves(result).items()]
    stacked = pd.concat(curves, ignore_index=True)
    return stacked[["score", *stacked.columns.drop("score")]]


def list_node_curves(result: LymphNodeResult) -> dict[str, RocResult]:
    """List the scores that predict metastasis by name, the dedicated heads first."""
    curves = {
        "Node model, with axillary ultrasound": result.head,
        "Node model, without axillary ultrasound": result.head_without_aln,
        "Ki-67 probability": result.ki67_probability,
    }
    return {name: roc for name, roc in curves.items() if roc is not None}


def describe_lymph_nodes(result: LymphNodeResult, *, cohort: str = "this cohort") -> str:
    """Say what the bars show.

    Parameters
    ----------
    result : LymphNodeResult
        Rates by group.
    cohort : str
        Name of the patients.

    Returns
    -------
    str
        Sentences with counts, intervals and the test.
    """
    parts = [
        f"{row['events']} of {row['n']} in the {row['group']} group, "
        f"{write_estimate(row['rate'], (row['ci_low'], row['ci_high']), 'nobody is in it', percent=True)}"
        for row in result.rates.to_dict("records")
    ]
    p = result.p_fisher if result.test == "Fisher" else result.p
    test = f"{result.test} test {write_p(p)}" if p is not None else f"no test: {result.reason}"
    counts = f"n = {result.n:,}, {word_count(result.events, 'patient')} with metastasis"
    return f"In {cohort}, node metastasis was found in {' and in '.join(parts)}; {test}; {counts}."

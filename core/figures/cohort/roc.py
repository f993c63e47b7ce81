"""The ROC curve with its band and operating point."""

from collections.abc import Mapping

import plotly.graph_objects as go

from core.evaluation import ConfusionResult, RocResult
from core.evaluation.estimate import write_estimate
from core.figures.theme import COLOURS, NEUTRAL, fill_colour, new_figure, style_series
from core.figures.wording import thin_rows, word_count

SIDE = 480


def plot_roc(
    roc: RocResult,
    *,
    name: str = "Model",
    others: Mapping[str, RocResult] | None = None,
    operating_point: ConfusionResult | None = None,
) -> go.Figure:
    """Draw a ROC curve, with those of other models and the operating point.

    Parameters
    ----------
    roc : RocResult
        The main model.
    name : str
        Its name.
    others : mapping of str to RocResult, optional
        Further models.
    operating_point : ConfusionResult, optional
        The main model at its threshold.

    Returns
    -------
    Figure
        Sensitivity over 1 - specificity, with the pointwise Wilson band of the main model.
    """
    figure = new_figure(x_title="1 - specificity", y_title="Sensitivity", height=SIDE)
    figure.add_scatter(
        x=[0, 1],
        y=[0, 1],
        mode="lines",
        line={"color": NEUTRAL, "dash": "dot", "width": 1},
        name="Chance",
        hoverinfo="skip",
    )
    if roc.auc is not None:
        band = thin_rows(roc.curve)
        figure.add_scatter(
            x=[*band["fpr"], *band["fpr"][::-1]],
            y=[*band["tpr_high"], *band["tpr_low"][::-1]],
            fill="toself",
            fillcolor=fill_colour(COLOURS[0]),
            line={"width": 0},
            mode="lines",
            name=f"{100 * roc.conf_level:g} % band",
            hoverinfo="skip",
        )
    for index, (label, result) in enumerate({name: roc, **(others or {})}.items()):
        if result.auc is not None:
            _add_curve(figure, label, result, index)
    if operating_point is not None:
        _add_point(figure, operating_point)
    figure.update_xaxes(range=[-0.01, 1.01], dtick=0.2, constrain="domain", constraintoward="left")
    figure.update_yaxes(range=[-0.01, 1.01], dtick=0.2, constrain="domain", scaleanchor="x")
    return figure


def describe_roc(roc: RocResult, *, cohort: str = "this cohort", operating_point: ConfusionResult | None = None) -> str:
    """Say what the ROC curve shows.

    Parameters
    ----------
    roc : RocResult
        The main model.
    cohort : str
        Name of the patients.
    operating_point : ConfusionResult, optional
        The model at its threshold.

    Returns
    -------
    str
        Sentences with n, events and intervals.
    """
    counts = f"n = {roc.n:,}, {word_count(roc.n_pos, 'event')}"
    text = f"In {cohort} the AUC was {write_estimate(roc.auc, roc.auc_ci, roc.reason, level=roc.conf_level)}; {counts}."
    if operating_point is not None:
        metrics = operating_point.metrics.to_dict("index")
        shares = []
        for metric in ("sensitivity", "specificity"):
            row, level = metrics[metric], operating_point.conf_level
            limits = (row["ci_low"], row["ci_high"])
            share = write_estimate(row["value"], limits, row["reason"], level=level, percent=True)
            shares.append(f"{metric} {share}")
        text += f" At a threshold of {operating_point.threshold:.3f}: {' and '.join(shares)}."
    return f"{text} {roc.reason}" if roc.reason and roc.auc_ci else text


def _add_curve(figure: go.Figure, name: str, roc: RocResult, index: int) -> None:
    curve = thin_rows(roc.curve)
    figure.add_scatter(
        x=curve["fpr"],
        y=curve["tpr"],
        mode="lines",
        line=style_series(index)["line"],
        customdata=curve["threshold"],
        name=f"{name}: AUC {roc.auc:.3f}",
        hovertemplate="threshold %{customdata:.3f}<br>sensitivity %{y:.3f}<br>1 - specificity %{x:.3f}<extra></extra>",
    )


def _add_point(figure: go.Figure, point: ConfusionResult) -> None:
    value = point.metrics["value"]
    figure.add_scatter(
        x=[1 - value["specificity"]],
        y=[value["sensitivity"]],
        mode="markers",
        marker={"symbol": "diamond", "size": 13, "color": COLOURS[1], "line": {"width": 2, "color": COLOURS[0]}},
        name=f"Threshold {point.threshold:.3f}",
        hovertemplate="sensitivity %{y:.3f}<br>1 - specificity %{x:.3f}<extra></extra>",
    )

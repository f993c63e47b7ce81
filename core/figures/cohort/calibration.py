"""The calibration curve with its band, deciles and the histogram of predictions."""

import numpy as np
import plotly.graph_objects as go

from core.evaluation import CalibrationResult
from core.evaluation.estimate import write_estimate, write_number
from core.figures.theme import COLOURS, FONT_SIZE, NEUTRAL, SMALL_SIZE, fill_colour, new_figure, style_series
from core.figures.wording import word_count

HEIGHT = 520
SMOOTHERS = {"loess": "Loess", "spline": "Restricted cubic spline"}


def plot_calibration(calibration: CalibrationResult) -> go.Figure:
    """Draw observed over predicted probability, and the predictions of both classes below.

    Parameters
    ----------
    calibration : CalibrationResult
        Result of one model in one cohort.

    Returns
    -------
    Figure
        Smoothed curve with its band clipped to [0, 1], deciles with Wilson intervals, ideal line, histogram.
    """
    figure = new_figure(y_title="Observed proportion", height=HEIGHT)
    figure.add_scatter(
        x=[0, 1],
        y=[0, 1],
        mode="lines",
        line={"color": NEUTRAL, "dash": "dot", "width": 1},
        name="Ideal",
        hoverinfo="skip",
    )
    curve = calibration.curve
    if len(curve):
        low, high = np.clip(curve["ci_low"], 0, 1), np.clip(curve["ci_high"], 0, 1)
        figure.add_scatter(
            x=[*curve["prob"], *curve["prob"][::-1]],
            y=[*high, *low[::-1]],
            fill="toself",
            fillcolor=fill_colour(COLOURS[0]),
            line={"width": 0},
            mode="lines",
            name=f"{100 * calibration.conf_level:g} % band",
            hoverinfo="skip",
        )
        figure.add_scatter(
            x=curve["prob"],
            y=np.clip(curve["observed"], 0, 1),
            mode="lines",
            line=style_series(0)["line"],
            name=SMOOTHERS[calibration.smoother or "loess"],
        )
    _add_deciles(figure, calibration)
    _add_histogram(figure, calibration)
    figure.update_layout(
        xaxis={"range": [-0.01, 1.01], "anchor": "y2", "title": {"text": "Predicted probability"}},
        yaxis={"range": [-0.02, 1.02], "domain": [0.27, 1]},
        yaxis2={"domain": [0, 0.2], "title": {"text": "Patients"}, "anchor": "x", **_label_counts(calibration)},
        barmode="relative",
    )
    figure.update_yaxes(title_font_size=FONT_SIZE, tickfont_size=SMALL_SIZE)
    return figure


def describe_calibration(calibration: CalibrationResult, *, cohort: str = "this cohort") -> str:
    """Say what the calibration curve shows.

    Parameters
    ----------
    calibration : CalibrationResult
        Result of one model in one cohort.
    cohort : str
        Name of the patients.

    Returns
    -------
    str
        Sentences with n, events and intervals.
    """
    c = calibration
    terms = {"intercept": (c.intercept, c.intercept_ci), "slope": (c.slope, c.slope_ci), "oe": (c.oe, c.oe_ci)}
    estimates = {name: write_estimate(*term, digits=2, level=c.conf_level) for name, term in terms.items()}
    parts = [
        f"calibration intercept {estimates['intercept']} (ideal 0)",
        f"slope {estimates['slope']} (ideal 1)",
        f"observed over expected {estimates['oe']}",
    ]
    smoother = " by a restricted cubic spline" if calibration.smoother == "spline" else ""
    ici = write_number(calibration.ici) + smoother
    counts = f"n = {calibration.n:,}, {word_count(calibration.events, 'event')}"
    text = f"In {cohort}: {', '.join(parts)}; mean absolute calibration error (ICI) {ici}; {counts}."
    return f"{text} {calibration.reason}" if calibration.reason else text


def _add_deciles(figure: go.Figure, calibration: CalibrationResult) -> None:
    bins = calibration.bins
    figure.add_scatter(
        x=bins["mean_prob"],
        y=bins["observed"],
        error_y={
            "type": "data",
            "symmetric": False,
            "array": bins["ci_high"] - bins["observed"],
            "arrayminus": bins["observed"] - bins["ci_low"],
            "thickness": 1.2,
            "width": 3,
            "color": COLOURS[1],
        },
        mode="markers",
        marker=style_series(1)["marker"],
        customdata=bins[["n", "events"]],
        name="Deciles",
        hovertemplate="%{customdata[1]} of %{customdata[0]}<br>predicted %{x:.3f}<br>observed %{y:.3f}<extra></extra>",
    )


def _label_counts(calibration: CalibrationResult) -> dict[str, list[int]]:
    """Label the histogram's axis with counts on both sides of zero."""
    counts = calibration.histogram
    above, below = int(counts["events"].max()), int(counts["nonevents"].max())
    return {"tickvals": [-below, 0, above], "ticktext": [below, 0, above]}


def _add_histogram(figure: go.Figure, calibration: CalibrationResult) -> None:
    counts = calibration.histogram
    series = (("Events", counts["events"], COLOURS[1], "/"), ("Non-events", -counts["nonevents"], COLOURS[5], ""))
    for name, values, colour, pattern in series:
        figure.add_bar(
            x=counts["prob"],
            y=values,
            yaxis="y2",
            width=0.018,
            marker={"color": colour, "pattern": {"shape": pattern, "fillmode": "overlay"}, "line": {"width": 0}},
            name=name,
            customdata=abs(values),
            hovertemplate="%{customdata} patients near %{x:.2f}<extra>" + name + "</extra>",
        )

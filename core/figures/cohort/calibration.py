"""Calibration: the curve with its band, deciles and histogram, and its figures."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from core.evaluation import (
    CalibrationResult,
    compute_calibration,
)
from core.evaluation.estimate import NOT_ESTIMABLE, write_estimate, write_number, write_p
from core.figures.cohort.exhibit import Exhibit, Patients
from core.figures.theme import COLOURS, FONT_SIZE, NEUTRAL, SMALL_SIZE, fill_colour, new_figure, style_series
from core.figures.wording import caution_few, word_count

if TYPE_CHECKING:
    from core.evaluation.calibration.measures import Role

HEIGHT = 520
SMOOTHERS = {"loess": "Loess", "spline": "Restricted cubic spline"}


@dataclass(frozen=True, eq=False)
class CalibrationExhibit(Exhibit):
    """Observed over predicted probability of one model, and the predictions of both classes below."""

    result: CalibrationResult
    name: ClassVar[str] = "calibration"

    @classmethod
    def of(cls, patients: Patients, **_: object) -> Self:
        """Compute the calibration; of development patients it is apparent."""
        y, prob = patients.table["y"], patients.table["prob"]
        return cls(patients.name, compute_calibration(y, prob, role=find_role(patients), ici_interval=True))

    def figure(self) -> go.Figure:
        """Draw the smoothed curve, its band clipped to [0, 1], deciles with Wilson intervals, ideal line, histogram."""
        figure = new_figure(y_title="Observed proportion", height=HEIGHT)
        ideal = {"color": NEUTRAL, "dash": "dot", "width": 1}
        figure.add_scatter(x=[0, 1], y=[0, 1], mode="lines", line=ideal, name="Ideal", hoverinfo="skip")
        _add_curve(figure, self.result)
        _add_deciles(figure, self.result)
        _add_histogram(figure, self.result)
        figure.update_layout(
            xaxis={"range": [-0.01, 1.01], "anchor": "y2", "title": {"text": "Predicted probability"}},
            yaxis={"range": [-0.02, 1.02], "domain": [0.27, 1]},
            yaxis2={"domain": [0, 0.2], "title": {"text": "Patients"}, "anchor": "x", **_label_counts(self.result)},
            barmode="relative",
        )
        return figure.update_yaxes(title_font_size=FONT_SIZE, tickfont_size=SMALL_SIZE)

    def sentence(self) -> str:
        """Say intercept, slope, observed over expected and the mean absolute error."""
        c = self.result
        terms = {"intercept": (c.intercept, c.intercept_ci), "slope": (c.slope, c.slope_ci), "oe": (c.oe, c.oe_ci)}
        estimates = {name: write_estimate(*term, digits=2, level=c.conf_level) for name, term in terms.items()}
        smoother = " by a restricted cubic spline" if c.smoother == "spline" else ""
        ici = write_estimate(c.ici, c.ici_ci, level=c.conf_level)
        text = (
            f"In {self.cohort}: calibration intercept {estimates['intercept']} (ideal 0), "
            f"slope {estimates['slope']} (ideal 1), observed over expected {estimates['oe']}; "
            f"mean absolute calibration error (ICI) {ici}{smoother}; "
            f"n = {c.n:,}, {word_count(c.events, 'event')}."
        )
        return f"{text} {c.reason}" if c.reason else text

    def notes(self) -> list[str]:
        """Say in words what the slope means."""
        sentence = explain_slope(self.result.slope_ci)
        return [sentence] if sentence else []

    def cautions(self) -> list[str]:
        """Say that calibration on development patients is optimistic, and that few events make it unstable."""
        c = self.result
        few = caution_few("Calibration", min(c.events, c.n - c.events))
        if c.role == "external":
            return few
        return ["The model was fitted on these patients: their calibration is apparent and optimistic.", *few]

    def tables(self) -> dict[str, pd.DataFrame]:
        """Give the figures of calibration."""
        return {"Figures of calibration with their intervals": tabulate_calibration(self.result)}

    def data(self) -> pd.DataFrame:
        """Give the curve."""
        return self.result.curve

    def record(self) -> dict[str, object]:
        """Give intercept, slope, errors, tests and deciles."""
        c = self.result
        terms = {
            name: {"est": getattr(c, name), "se": getattr(c, f"{name}_se"), "ci": getattr(c, f"{name}_ci")}
            for name in ("intercept", "slope")
        }
        errors = (
            "brier",
            "brier_ci",
            "scaled_brier",
            "scaled_brier_ci",
            "log_loss",
            "ici",
            "ici_ci",
            "e50",
            "e90",
            "emax",
        )
        fields = (*errors, "smoother", "oe", "oe_ci")
        others = {name: getattr(c, name) for name in (*fields, "role", "reasons", "note", "bins")}
        tests = {
            "hosmer_lemeshow": vars(c.hosmer_lemeshow),
            "spiegelhalter": {"z": c.spiegelhalter_z, "p": c.spiegelhalter_p},
        }
        return {"calibration": terms | others | tests}


def find_role(patients: Patients) -> "Role":
    """Say whether the model was fitted on these patients."""
    return "development" if patients.is_development else "external"


def explain_slope(interval: Sequence[float] | None) -> str:
    """Say in words what a calibration slope means, by its interval; empty where there is none."""
    if interval is None:
        return ""
    if interval[1] < 0:
        return (
            "The slope lies below 0: here high Ki-67 is rarer the higher the probability. Look whether the outcome, or "
            "the probability, is coded the other way round."
        )
    if interval[1] < 1:
        return (
            "The slope lies below 1: here high probabilities are too high and low ones too low, as of a model fitted "
            "too closely to its own patients. An update of intercept and slope draws them together."
        )
    if interval[0] > 1:
        return (
            "The slope lies above 1: here high probabilities are too low and low ones too high. An update of intercept "
            "and slope spreads them."
        )
    if interval[0] <= 0:
        return "The slope's interval holds 1, and 0 as well: too few patients to tell what it is."
    return "The slope's interval holds 1: no sign that the probabilities lie too far apart or too close together."


def tabulate_calibration(calibration: CalibrationResult) -> pd.DataFrame:
    """List the figures of calibration, or why there is none."""
    c, test, why = calibration, calibration.hosmer_lemeshow, calibration.reasons.get
    curve = " (restricted cubic spline)" if c.smoother == "spline" else ""
    oe = write_estimate(c.oe, c.oe_ci, why("oe") or why("oe_ci"), level=None, digits=3)
    hosmer = f"{NOT_ESTIMABLE}: {test.reason}"
    if test.statistic is not None:
        hosmer = f"chi-squared {test.statistic:.2f}, df {test.df}, {write_p(test.p)}"
    rows = {
        "Intercept (ideal 0)": write_estimate(c.intercept, c.intercept_ci, why("intercept"), level=None),
        "Slope (ideal 1)": write_estimate(c.slope, c.slope_ci, why("slope"), level=None),
        "Observed over expected (ideal 1)": oe,
        "Brier score": write_estimate(c.brier, c.brier_ci, level=None),
        "Scaled Brier score": write_estimate(c.scaled_brier, c.scaled_brier_ci, why("scaled_brier"), level=None),
        f"ICI, mean absolute error of the curve{curve}": write_estimate(
            c.ici, c.ici_ci, why("ici") or why("ici_ci"), level=None
        ),
        "E50, its median": write_number(c.e50, reason=why("e50")),
        "E90, its 90th centile": write_number(c.e90, reason=why("e90")),
        "Emax, its maximum": write_number(c.emax, reason=why("emax")),
        "Spiegelhalter's test": why("spiegelhalter_z") or write_p(c.spiegelhalter_p),
        "Hosmer-Lemeshow (secondary)": hosmer,
    }
    return pd.DataFrame(list(rows.items()), columns=["Figure", f"Value ({100 * c.conf_level:g} % CI)"])


def _add_curve(figure: go.Figure, calibration: CalibrationResult) -> None:
    curve = calibration.curve
    if not len(curve):
        return
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

"""Whether the risk of recurrence from the probability holds: by fifths of the risk, with slope and Brier score."""

from dataclasses import dataclass
from typing import ClassVar, Self

import pandas as pd
import plotly.graph_objects as go

from core.evaluation import RiskResult, compute_risk_calibration
from core.evaluation.cohort.net_benefit import RecurrenceRisk, fit_recurrence_risk, list_horizons, predict_recurrence
from core.evaluation.cohort.survival import END_POINT
from core.evaluation.estimate import write_estimate
from core.figures.cohort.exhibit import Exhibit, Patients
from core.figures.cohort.survival.recurrence import describe_risk
from core.figures.theme import COLOURS, NEUTRAL, PERCENT, new_figure
from core.figures.wording import word_count

FEW_EVENTS = 10


@dataclass(frozen=True, eq=False)
class RecurrenceCalibrationExhibit(Exhibit):
    """Observed over predicted risk of recurrence by a horizon; without a risk it says why there is none."""

    risk: RecurrenceRisk
    result: RiskResult | None
    name: ClassVar[str] = "recurrence_calibration"
    title: ClassVar[str] = "Calibration of the risk of recurrence"
    keys: ClassVar[tuple[str, ...]] = ("recurrence_calibration",)
    needs: ClassVar[tuple[str, ...]] = END_POINT

    @classmethod
    def of(cls, patients: Patients, **_: object) -> Self:
        """Fit the risk on the cohort's development patients and hold it to these."""
        risk = fit_recurrence_risk(patients.whole, list_horizons(patients.table)[1])
        predicted = predict_recurrence(patients.table, risk)
        if predicted is None:
            return cls(patients.name, risk, None)
        time, event = (patients.table[name] for name in END_POINT)
        return cls(patients.name, risk, compute_risk_calibration(time, event, predicted, risk.horizon))

    def figure(self) -> go.Figure | None:
        """Draw each fifth with its interval beside the ideal line."""
        if self.result is None or self.result.observed is None:
            return None
        groups = self.result.groups
        top = 1.05 * float(groups[["mean_risk", "observed", "ci_high"]].max().max())
        figure = new_figure(x_title="Predicted risk of recurrence", y_title="Observed risk")
        ideal = {"color": NEUTRAL, "dash": "dot", "width": 1}
        figure.add_scatter(x=[0, top], y=[0, top], mode="lines", line=ideal, name="Ideal", hoverinfo="skip")
        figure.add_scatter(
            x=groups["mean_risk"],
            y=groups["observed"],
            error_y={
                "type": "data",
                "symmetric": False,
                "array": (groups["ci_high"] - groups["observed"]).fillna(0),
                "arrayminus": (groups["observed"] - groups["ci_low"]).fillna(0),
                "thickness": 1.2,
                "width": 3,
                "color": COLOURS[1],
            },
            mode="markers",
            marker={"color": COLOURS[1], "symbol": "square", "size": 8},
            customdata=groups[["n", "events"]],
            name="Fifths of the risk",
            hovertemplate="%{customdata[1]} of %{customdata[0]} recurred<br>predicted %{x:.1%}<br>observed %{y:.1%}"
            "<extra></extra>",
        )
        figure.update_xaxes(range=[0, top], **PERCENT)
        return figure.update_yaxes(range=[0, top], **PERCENT)

    def sentence(self) -> str:
        """Say observed and predicted risk, slope and scaled Brier score."""
        r = self.result
        if r is None:
            return describe_risk(self.risk)
        counts = f"n = {r.n:,}, {word_count(r.events, 'recurrence')} by {r.horizon:g} months"
        if r.observed is None or r.mean_risk is None:
            return f"In {self.cohort} the risk of recurrence can't be judged: {r.reasons['n']} {counts}."
        observed = write_estimate(r.observed, r.observed_ci, percent=True)
        slope = write_estimate(r.slope, r.slope_ci, r.reasons.get("slope"), digits=2)
        return (
            f"In {self.cohort} the risk of recurrence by {r.horizon:g} months was {observed}, predicted "
            f"{100 * r.mean_risk:.1f} %; calibration slope {slope} (ideal 1), scaled Brier score "
            f"{write_estimate(r.scaled_brier, r.scaled_brier_ci)}; {counts}, {r.censored:,} censored before."
        )

    def cautions(self) -> list[str]:
        """Say that few recurrences make it unstable."""
        few = self.result is not None and self.result.events < FEW_EVENTS
        return [f"Fewer than {FEW_EVENTS} recurrences: read these figures as unstable."] if few else []

    def notes(self) -> list[str]:
        """Say where the risk comes from."""
        return [describe_risk(self.risk)] if self.result else []

    def tables(self) -> dict[str, pd.DataFrame]:
        """Give the figures, and the fifths."""
        r = self.result
        if r is None or r.observed is None:
            return {}
        rows = {
            "Observed over predicted (ideal 1)": write_estimate(r.oe, r.oe_ci, level=None),
            "Slope (ideal 1)": write_estimate(r.slope, r.slope_ci, r.reasons.get("slope"), level=None),
            "Brier score": write_estimate(r.brier, r.brier_ci, level=None),
            "Scaled Brier score (IPA)": write_estimate(r.scaled_brier, r.scaled_brier_ci, level=None),
        }
        fifths = [
            [
                f"{row['n']:,}",
                f"{row['events']:,}",
                f"{100 * row['mean_risk']:.1f} %",
                write_estimate(row["observed"], (row["ci_low"], row["ci_high"]), level=None, percent=True),
            ]
            for row in r.groups.to_dict("records")
        ]
        names = ["n", "Recurrences", "Mean predicted risk", "Observed risk (95 % CI)"]
        return {
            "Figures of the risk of recurrence": pd.DataFrame(
                list(rows.items()), columns=["Figure", "Value (95 % CI)"]
            ),
            "Observed risk by fifths of the predicted risk": pd.DataFrame(fifths, columns=names),
        }

    def data(self) -> pd.DataFrame:
        """Give the fifths."""
        return self.result.groups if self.result else pd.DataFrame()

    def record(self) -> dict[str, object]:
        """Give the risk model and how it holds."""
        found = vars(self.result) if self.result else {"reason": self.risk.reason}
        return {"recurrence_calibration": {"risk": vars(self.risk), **found}}

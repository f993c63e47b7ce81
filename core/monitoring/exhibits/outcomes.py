"""Whether estimates still agree with what pathology finds: observed over expected, the CUSUM chart, the AUC."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from core.evaluation.estimate import write_estimate
from core.figures.theme import RAISES, new_figure, style_series
from core.figures.wording import thin_rows, word_count
from core.monitoring.agreement import FEWEST
from core.monitoring.cusum import HORIZON, LEAST, ODDS_RATIOS, Side
from core.monitoring.exhibits.exhibit import (
    MOST_ROWS,
    WatchExhibit,
    add_line,
    add_points,
    draw_over_windows,
    fit_heights,
    name_windows,
    take_newest,
)

NOBODY = "No patient of these has a Ki-67 that was found after the estimate; enter outcomes on the Register page."
STEP = 5
SIGNS: dict[Side, float] = {"more": 1.0, "fewer": -1.0}


@dataclass(frozen=True, eq=False)
class OutcomeExhibit(WatchExhibit):
    """An exhibit that needs outcomes."""

    def lack(self) -> str:
        """Say that there are none."""
        return "" if self.found.with_outcome else NOBODY


@dataclass(frozen=True, eq=False)
class ObservedExpectedExhibit(OutcomeExhibit):
    """Observed over expected by window."""

    name: ClassVar[str] = "observed_over_expected"
    title: ClassVar[str] = "Observed over expected"

    def figure(self) -> go.Figure:
        """Draw O/E with exact limits by window."""
        table = self.found.agreement
        figure = draw_over_windows(table["window"].tolist(), "Observed / expected", name_windows(self.found))
        add_points(figure, table, ("oe", "oe_low", "oe_high"), "O/E")
        add_line(figure, (-0.5, len(table) - 0.5), 1.0)
        return fit_heights(figure, table["oe_low"], table["oe_high"], pd.Series([1.0]))

    def sentence(self) -> str:
        """Say O/E over all windows shown, and in how many 1 lies outside the limits."""
        told = self.found.agreement.dropna(subset=["oe"])
        if told.empty:
            return f"No window of {self.cohort} has {FEWEST} patients with a known outcome yet."
        outside = int(((told["oe_low"] > 1) | (told["oe_high"] < 1)).sum())
        n, observed, expected = int(told["with_outcome"].sum()), told["observed"].sum(), told["expected"].sum()
        return (
            f"In {self.cohort} {observed:,.0f} of {n:,} patients had a high Ki-67 and {expected:,.1f} were expected "
            f"(O/E {observed / expected:.2f}); in {outside} of {word_count(len(told), 'window')} the 95 % interval "
            "of O/E leaves out 1."
        )

    def tables(self) -> dict[str, pd.DataFrame]:
        """Give observed and expected by window."""
        table = self.found.agreement
        rows = table[["observed", "expected", "with_outcome"]].itertuples(index=False)
        shown = {
            "Window": table["window"],
            "Observed / expected (n)": [
                f"\N{EN DASH} ({n:,})" if pd.isna(observed) else f"{observed:.0f} / {expected:.1f} ({n:,})"
                for observed, expected, n in rows
            ],
            "O/E (95 % CI)": _write_column(table, ("oe", "oe_low", "oe_high"), 2),
        }
        return {f"Observed and expected, newest {MOST_ROWS} windows": take_newest(pd.DataFrame(shown))}

    def data(self) -> pd.DataFrame:
        """Give a row a window."""
        return self.found.agreement

    def record(self) -> dict[str, object]:
        """Give a row a window."""
        names = ["window", "with_outcome", "observed", "expected", "oe", "oe_low", "oe_high"]
        return {"observed_over_expected": self.found.agreement[names]}


@dataclass(frozen=True, eq=False)
class CusumExhibit(OutcomeExhibit):
    """The risk-adjusted CUSUM chart."""

    name: ClassVar[str] = "cusum"
    title: ClassVar[str] = "CUSUM chart of calibration in the large"

    def figure(self) -> go.Figure:
        """Draw both sums, that for fewer downwards, with their limits and where these were passed."""
        path = self.data()
        figure = new_figure(x_title="Patients with a known outcome", y_title="Cumulative log-likelihood ratio")
        for number, (side, sign) in enumerate(SIGNS.items()):
            line = {**style_series(number)["line"], "width": 2}
            figure.add_scatter(
                x=path["patient"],
                y=sign * path[side],
                mode="lines",
                line=line,
                name=f"{side.capitalize()} than estimated (odds x {ODDS_RATIOS[side]:g})",
            )
            if side in self.found.cusum.limits:
                limit = sign * self.found.cusum.limits[side]
                add_line(figure, (1, self.found.cusum.n), limit, dash="dash", name="" if number else "Limit")
        crossings = self.found.cusum.crossings
        if crossings:
            marker = {"symbol": "diamond", "size": 12, "color": RAISES}
            at = [SIGNS[one.side] * self.found.cusum.path[one.side].iloc[one.end] for one in crossings]
            places = [one.end + 1 for one in crossings]
            figure.add_scatter(x=places, y=at, mode="markers", marker=marker, name="Limit passed")
        limits = [SIGNS[side] * limit for side, limit in self.found.cusum.limits.items()]
        return fit_heights(figure, path["more"], -path["fewer"], pd.Series(limits, dtype=float))

    def sentence(self) -> str:
        """Say where the chart stands."""
        chart = self.found.cusum
        if not chart.limits:
            return (
                f"{word_count(chart.n, 'patient')} of {self.cohort} with a known outcome: the chart has no limits and "
                f"raises no alarm below {LEAST}."
            )
        stands = ", ".join(
            f"{chart.path[side].iloc[-1]:.2f} for {side} than estimated (limit {limit:.2f})"
            for side, limit in chart.limits.items()
        )
        passed = {0: "no limit was passed", 1: "a limit was passed once"}
        return (
            f"After {chart.n:,} patients of {self.cohort} with a known outcome the chart stands at {stands}; "
            f"{passed.get(len(chart.crossings), f'a limit was passed {len(chart.crossings)} times')}."
        )

    def notes(self) -> list[str]:
        """Say what is drawn."""
        return [
            f"Drawn at every {STEP}th patient at most, so that no single outcome can be read off; limits are drawn "
            "dashed."
        ]

    def data(self) -> pd.DataFrame:
        """Give the sums after every fifth patient, or fewer of many."""
        path = self.found.cusum.path
        path = path.assign(patient=np.arange(1, len(path) + 1), month=self.found.months.to_numpy())
        ends = [one.end for one in self.found.cusum.crossings]
        drawn = thin_rows(path[path["patient"] % STEP == 0])
        return pd.concat([drawn, path.iloc[ends]]).sort_values("patient").drop_duplicates("patient", ignore_index=True)

    def record(self) -> dict[str, object]:
        """Give limits, where the sums stand, and where limits were passed."""
        chart = self.found.cusum
        last = {side: float(chart.path[side].iloc[-1]) for side in ODDS_RATIOS} if chart.n else {}
        crossings = [vars(one) for one in chart.crossings]
        return {"cusum": {"n": chart.n, "limits": chart.limits, "last": last, "per": HORIZON, "crossings": crossings}}


@dataclass(frozen=True, eq=False)
class AucExhibit(OutcomeExhibit):
    """The AUC by window."""

    name: ClassVar[str] = "auc"
    title: ClassVar[str] = "AUC by window"

    def figure(self) -> go.Figure:
        """Draw the AUC with its interval by window."""
        table = self.found.agreement
        figure = draw_over_windows(table["window"].tolist(), "AUC", name_windows(self.found))
        add_points(figure, table, ("auc", "auc_low", "auc_high"), "AUC")
        add_line(figure, (-0.5, len(table) - 0.5), 0.5)
        return figure.update_yaxes(range=[-0.02, 1.04])

    def sentence(self) -> str:
        """Say the range of the estimates, and where there is none."""
        table = self.found.agreement
        told = table.dropna(subset=["auc"])
        missing = f"; not estimable in {len(table) - len(told)}" if len(told) < len(table) else ""
        if told.empty:
            return f"No window of {self.cohort} gives an AUC yet."
        lowest, highest = told["auc"].min(), told["auc"].max()
        return (
            f"The AUC of {word_count(len(told), 'window')} of {self.cohort} runs from {lowest:.3f} to "
            f"{highest:.3f}{missing} (n = {int(told['with_outcome'].sum()):,}). Of 50 patients its interval is wide: "
            "it raises no alarm."
        )

    def tables(self) -> dict[str, pd.DataFrame]:
        """Give the AUC by window, or why there is none."""
        table = self.found.agreement
        shown = {
            "Window": table["window"],
            "n": table["with_outcome"],
            "AUC (95 % CI)": _write_column(table, ("auc", "auc_low", "auc_high"), 3),
        }
        return {f"AUC, newest {MOST_ROWS} windows": take_newest(pd.DataFrame(shown))}

    def data(self) -> pd.DataFrame:
        """Give a row a window."""
        return self.found.agreement[["window", "with_outcome", "auc", "auc_low", "auc_high", "reason"]]

    def record(self) -> dict[str, object]:
        """Give a row a window."""
        return {"auc": self.data()}


def _write_column(table: pd.DataFrame, names: tuple[str, str, str], digits: int) -> list[str]:
    """Write a figure of each window with its interval, or why there is none."""
    rows = table[[*names, "reason"]].itertuples(index=False)
    return [write_estimate(value, (low, high), reason, digits=digits, level=None) for value, low, high, reason in rows]

"""Whether image score and inputs are distributed as in training."""

from dataclasses import dataclass
from typing import ClassVar

import pandas as pd
import plotly.graph_objects as go

from core.figures.theme import COLOURS, LOWERS, NEUTRAL, RAISES, fill_colour, new_figure, style_series
from core.figures.wording import shorten_label
from core.monitoring.drift import LEAST, RELEVANT
from core.monitoring.exhibits.exhibit import WatchExhibit, add_line, draw_over_windows, fit_heights, name_windows

ROW_HEIGHT = 26
NOT_YET = f"No window is full and has {LEAST} patients yet, so none is compared with training."


@dataclass(frozen=True, eq=False)
class ScoreExhibit(WatchExhibit):
    """The image score by window."""

    name: ClassVar[str] = "image_score"
    title: ClassVar[str] = "Image score"

    def figure(self) -> go.Figure:
        """Draw median and quartiles of each window over the quartiles of training."""
        table = self.found.scores
        figure = draw_over_windows(table["window"].tolist(), "Image score", name_windows(self.found))
        if self.found.training_score is not None:
            low, middle, high = self.found.training_score
            ends = [-0.5, len(table) - 0.5]
            figure.add_scatter(
                x=[*ends, *ends[::-1]],
                y=[high, high, low, low],
                fill="toself",
                fillcolor=fill_colour(NEUTRAL),
                line={"width": 0},
                mode="lines",
                name="Training: middle half",
                hoverinfo="skip",
            )
            add_line(figure, (ends[0], ends[1]), middle, name="Training: median")
        style = style_series(0)
        spread = {
            "type": "data",
            "symmetric": False,
            "array": (table["q3"] - table["median"]).fillna(0),
            "arrayminus": (table["median"] - table["q1"]).fillna(0),
            "color": style["line"]["color"],
            "thickness": 2,
            "width": 4,
        }
        figure.add_scatter(
            x=list(range(len(table))),
            y=table["median"],
            error_y=spread,
            mode="markers",
            marker=style["marker"],
            name="Median and quartiles",
        )
        return fit_heights(figure, table["q1"], table["q3"], pd.Series(self.found.training_score or (), dtype=float))

    def sentence(self) -> str:
        """Say the newest window's quartiles beside training's."""
        told = self.found.scores.dropna(subset=["median"])
        if told.empty:
            return f"No window of {self.cohort} has 10 patients yet; quartiles of fewer are not shown."
        last = told.iloc[-1]
        said = (
            f"In the newest window of {self.cohort} (n = {last['n']:,}) the image score's median is "
            f"{last['median']:.2f} (quartiles {last['q1']:.2f} to {last['q3']:.2f})"
        )
        if self.found.training_score is None:
            return f"{said}."
        low, middle, high = self.found.training_score
        return f"{said}, in training {middle:.2f} ({low:.2f} to {high:.2f}; n = {self.found.trained_on:,})."

    def data(self) -> pd.DataFrame:
        """Give a row a window."""
        return self.found.scores

    def record(self) -> dict[str, object]:
        """Give a row a window, and training's quartiles."""
        return {"image_score": {"windows": self.found.scores, "training": self.found.training_score}}


@dataclass(frozen=True, eq=False)
class DriftExhibit(WatchExhibit):
    """Every input of the newest window that was judged, beside training; the table holds all windows."""

    name: ClassVar[str] = "drift"
    title: ClassVar[str] = "Drift of inputs"

    def lack(self) -> str:
        """Say that there is nothing to compare."""
        return self.found.lack or (NOT_YET if self.found.drift.empty else "")

    def figure(self) -> go.Figure:
        """Draw the stability index of each input, what it reaches by chance, and which raised an alarm."""
        newest = self._newest
        labels = [shorten_label(label) for label in newest["label"]]
        figure = new_figure(x_title="Stability index", height=140 + ROW_HEIGHT * len(newest))
        rows = list(range(len(newest)))
        line = {"color": NEUTRAL, "width": 2}
        chance = {"symbol": "line-ns-open", "size": 12, "color": NEUTRAL, "line": line}
        figure.add_scatter(
            x=newest["psi_by_chance"], y=rows, mode="markers", marker=chance, name="By chance up to (95 %)"
        )
        for is_alarm, label, colour, symbol in (
            (False, "No alarm", LOWERS, "circle"),
            (True, "Alarm", RAISES, "diamond"),
        ):
            part = newest.assign(row=rows)[newest["is_alarm"] == is_alarm]
            if len(part):
                marker = {"symbol": symbol, "size": 10 + 3 * is_alarm, "color": colour}
                figure.add_scatter(x=part["psi"], y=part["row"], mode="markers", marker=marker, name=label)
        figure.add_vline(x=RELEVANT, line={"color": COLOURS[5], "width": 1, "dash": "dot"})
        most = max(float(newest[name].max()) for name in ("psi", "psi_by_chance"))
        figure.update_xaxes(range=[-0.06 * most, 1.08 * max(most, RELEVANT)])
        ticks = {"tickvals": rows, "ticktext": labels, "range": [len(rows) - 0.4, -0.6]}
        return figure.update_yaxes(**ticks, showgrid=False, ticks="")

    def sentence(self) -> str:
        """Say which inputs of the newest window differ."""
        newest = self._newest
        alarmed = [str(label) for label in newest["label"][newest["is_alarm"]]]
        tested = int(newest["p"].notna().sum())
        what = (
            f"{', '.join(alarmed)} {'differs' if len(alarmed) == 1 else 'differ'} from training"
            if alarmed
            else "no input differs from training beyond chance"
        )
        window = newest["window"].iloc[0]
        return (
            f"In the newest full window of {self.cohort} ({window}, n = {newest['n_window'].iloc[0]:,}) {what}: "
            f"{tested} comparisons with the {self.found.trained_on:,} training patients, adjusted together "
            "(Benjamini-Hochberg)."
        )

    def tables(self) -> dict[str, pd.DataFrame]:
        """Give the comparisons of the newest window."""
        newest = self._newest
        small = newest["p_adjusted"].map(
            lambda p: "not tested" if pd.isna(p) else "< 0.001" if p < 0.001 else f"{p:.3f}"
        )
        columns = {
            "Input": newest["label"],
            "n": newest["n"],
            "Test": newest["test"].replace("", "too few known"),
            "Statistic": newest["statistic"].map(_write),
            "Adjusted p": small,
            "Index": newest["psi"].map(_write),
            "By chance up to": newest["psi_by_chance"].map(_write),
            "Alarm": newest["is_alarm"].map({True: "yes", False: "no"}),
        }
        return {"Newest full window beside training": pd.DataFrame(columns)}

    def data(self) -> pd.DataFrame:
        """Give the comparisons of every window."""
        return self.found.drift

    def record(self) -> dict[str, object]:
        """Give the comparisons of every window."""
        return {"drift": self.found.drift}

    @property
    def _newest(self) -> pd.DataFrame:
        drift = self.found.drift
        return drift[drift["window"] == drift["window"].iloc[-1]].reset_index(drop=True)


def _write(value: float) -> str:
    return "" if pd.isna(value) else f"{value:.2f}"

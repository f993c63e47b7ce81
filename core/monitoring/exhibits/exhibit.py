"""What the exhibits of monitoring share: windows along the axis, and points with intervals."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd
import plotly.graph_objects as go

from core.figures.cohort.exhibit import Exhibit
from core.figures.theme import NEUTRAL, new_figure, style_series
from core.monitoring.monitor import Monitoring

MOST_LABELS = 5
MOST_ROWS = 12


@dataclass(frozen=True, eq=False)
class WatchExhibit(Exhibit):
    """An exhibit of a bundle that is watched."""

    found: Monitoring  # what it shows a part of

    def lack(self) -> str:
        """Say why it can't be made; empty if it can."""
        return ""


def take_newest(table: pd.DataFrame) -> pd.DataFrame:
    """Give the newest windows, the newest first and each on one line, for a table to read; the file holds all."""
    newest = table.tail(MOST_ROWS)[::-1]
    return newest.assign(Window=newest["Window"].astype(str).str.replace(" ", "\N{NO-BREAK SPACE}"))


def draw_over_windows(windows: Sequence[str], y_title: str, title: str) -> go.Figure:
    """Start a figure with the windows from left to right, a few of them named."""
    figure = new_figure(x_title=title, y_title=y_title)
    places = sorted({round(i * (len(windows) - 1) / (MOST_LABELS - 1)) for i in range(MOST_LABELS)})
    ticks = {"tickvals": places, "ticktext": [windows[place] for place in places]}
    return figure.update_xaxes(**ticks, range=[-0.5, max(len(windows) - 0.5, 0.5)])


def name_windows(found: Monitoring) -> str:
    """Name the axis of the windows."""
    return "Month of examination" if found.scope.by == "month" else "Patients in order of examination"


def add_line(figure: go.Figure, ends: tuple[float, float], y: float, *, dash: str = "dot", name: str = "") -> None:
    """Add a level line from one end to the other; without a name the legend leaves it out."""
    figure.add_scatter(
        x=list(ends),
        y=[y, y],
        mode="lines",
        line={"color": NEUTRAL, "width": 1.5, "dash": dash},
        name=name,
        showlegend=bool(name),
        hoverinfo="skip",
    )


def fit_heights(figure: go.Figure, *columns: "pd.Series[float]") -> go.Figure:
    """Let the y axis hold the ends of all intervals."""
    values = pd.concat(columns).dropna()
    if values.empty:
        return figure
    low, high = float(values.min()), float(values.max())
    room = 0.05 * (high - low or 1.0)
    return figure.update_yaxes(range=[low - room, high + room])


def add_points(figure: go.Figure, table: pd.DataFrame, names: tuple[str, str, str], label: str) -> None:
    """Add a point with its interval for each window that has one; names are those of value, low and high."""
    value, low, high = (table[name] for name in names)
    style = style_series(0)
    error: dict[str, object] = {
        "type": "data",
        "symmetric": False,
        "array": (high - value).fillna(0),
        "arrayminus": (value - low).fillna(0),
        "color": style["line"]["color"],
        "thickness": 2,
        "width": 4,
    }
    figure.add_scatter(
        x=list(range(len(table))),
        y=value,
        error_y=error,
        mode="markers",
        marker=style["marker"],
        customdata=table["window"],
        hovertemplate=f"%{{customdata}}: {label} %{{y:.2f}}<extra></extra>",
        showlegend=False,
    )

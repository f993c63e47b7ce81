"""Node metastasis by predicted group."""

import plotly.graph_objects as go

from core.evaluation import LymphNodeResult
from core.figures.theme import COLOURS, NEUTRAL, new_figure
from core.figures.wording import word_count, word_p, word_percent

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
            marker={"color": colour, "pattern": {"shape": pattern, "fillmode": "overlay"}},
            width=0.5,
            name=row["group"].capitalize(),
            hovertemplate="%{y:.1%}<extra></extra>",
            showlegend=False,
        )
    figure.update_yaxes(range=[0, 1], tickformat=".0%")
    return figure


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
        f"{word_percent(row['rate'], row['ci_low'], row['ci_high'])}"
        for row in result.rates.to_dict("records")
    ]
    p = result.p_fisher if result.test == "Fisher" else result.p
    test = f"{result.test} test {word_p(p)}" if p is not None else f"no test: {result.reason}"
    counts = f"n = {result.n:,}, {word_count(result.events, 'patient')} with metastasis"
    return f"In {cohort}, node metastasis was found in {' and in '.join(parts)}; {test}; {counts}."

"""The heat map over the frame: signed log-odds on one fixed scale, blue lowers, orange raises, zero is clear."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.inference import ViewEstimate
from core.inference.explain import spread_offset

CONTOUR_LEVELS = 4


def locate_cells(view: ViewEstimate) -> tuple[list[float], list[float]]:
    """Give the centres of the heat map's columns and rows, in pixels of the frame."""
    x0, y0, x1, y1 = view.reading.area
    rows, cols = view.heatmap.shape
    return (
        [x0 + (j + 0.5) * (x1 - x0) / cols for j in range(cols)],
        [y0 + (i + 0.5) * (y1 - y0) / rows for i in range(rows)],
    )


def tabulate_heatmap(view: ViewEstimate) -> pd.DataFrame:
    """List the heat map's cells: centre in pixels of the frame, and log-odds."""
    x, y = locate_cells(view)
    values = spread_offset(view)
    return pd.DataFrame(
        [{"x_px": x[j], "y_px": y[i], "log_odds": float(values[i, j])} for i in range(len(y)) for j in range(len(x))]
    )


def describe_heatmap(view: ViewEstimate, limit: float) -> str:
    """Say for those who don't see it what the heat map shows."""
    m = spread_offset(view)
    return (
        f"Heat map of {m.shape[0]} by {m.shape[1]} fields over the lesion, from {m.min():+.2f} to {m.max():+.2f} "
        f"log-odds on a scale of plus and minus {limit:.2f}; mean {m.mean():+.2f}."
    )


def trace_contours(view: ViewEstimate, limit: float) -> list[tuple[float, NDArray[np.float64]]]:
    """Trace lines of equal log-odds, up to the edge of the square that the network saw.

    Parameters
    ----------
    view : ViewEstimate
        The view's part of the estimate.
    limit : float
        Log-odds at the scale's ends; lines stand at quarters of it.

    Returns
    -------
    list of (float, ndarray of float64, (n, 2))
        Log-odds, and the line's x and y in pixels of the frame.
    """
    from contourpy import contour_generator  # noqa: PLC0415 - only where lines are asked for

    x0, y0, x1, y1 = view.reading.area
    x, y = locate_cells(view)
    padded = np.pad(spread_offset(view), 1, mode="edge")
    lines = contour_generator([x0, *x, x1], [y0, *y, y1], padded)
    step = limit / CONTOUR_LEVELS
    levels = [sign * i * step for sign in (-1, 1) for i in range(1, CONTOUR_LEVELS + 1)]
    return [(level, np.asarray(line)) for level in levels for line in lines.lines(level)]

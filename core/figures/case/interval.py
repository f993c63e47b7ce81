"""A probability with its interval as a small graph for lists: indeterminate range, threshold, bar and diamond."""

import base64

from core.figures.drawing.canvas import Canvas
from core.figures.theme import NEUTRAL, RAISES
from core.inference.explain import format_percent

WIDTH, HEIGHT, EDGE = 180, 28, 10
MIDDLE = HEIGHT / 2


def render_interval(
    probability: float, interval: tuple[float, float] | None, *, no_call: tuple[float, float], threshold: float
) -> str:
    """Draw a probability between 0 and 100 %."""
    low, high = map(_place, no_call)
    canvas = Canvas(WIDTH, HEIGHT, ground=False)
    band = [(low, 2), (high, 2), (high, HEIGHT - 2), (low, HEIGHT - 2)]
    canvas.area(band, NEUTRAL, opacity=0.35)
    canvas.line([(EDGE, MIDDLE), (WIDTH - EDGE, MIDDLE)], NEUTRAL, 1.5)
    for x in map(_place, (0, 0.5, 1)):
        canvas.line([(x, MIDDLE - 3), (x, MIDDLE + 3)], NEUTRAL, 1.5)
    cut = _place(threshold)
    canvas.line([(cut, 2), (cut, HEIGHT - 2)], NEUTRAL, 2, "dash")
    if interval is not None:
        ends = [_place(limit) for limit in interval]
        canvas.line([(x, MIDDLE) for x in ends], RAISES, 4)
        for x in ends:
            canvas.line([(x, MIDDLE - 5), (x, MIDDLE + 5)], RAISES, 2)
    symbol = "diamond" if interval is not None else "diamond-open"
    canvas.mark(_place(probability), MIDDLE, symbol, 9, RAISES, 2)
    return canvas.finish().decode("utf-8")


def describe_interval(
    probability: float, interval: tuple[float, float] | None, *, no_call: tuple[float, float], threshold: float
) -> str:
    """Put the graph into words."""
    spread = "no interval" if interval is None else "95 % interval {} to {}".format(*map(format_percent, interval))
    zone = " to ".join(map(format_percent, no_call))
    return (
        f"From 0 to 100 %: estimate {format_percent(probability)}, {spread}, threshold {format_percent(threshold)}, "
        f"indeterminate range {zone}."
    )


def encode_svg(svg: str) -> str:
    """Write an SVG as an address that holds its data."""
    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode("utf-8")).decode("ascii")


def _place(probability: float) -> float:
    return EDGE + probability * (WIDTH - 2 * EDGE)

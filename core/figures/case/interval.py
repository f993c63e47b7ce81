"""A probability with its interval as a small graph for lists: indeterminate range, threshold, bar and diamond."""

import base64

from core.figures.theme import NEUTRAL, RAISES
from core.inference.explain import format_percent

WIDTH, HEIGHT, EDGE = 180, 28, 10
MIDDLE = HEIGHT / 2


def render_interval(
    probability: float, interval: tuple[float, float] | None, *, no_call: tuple[float, float], threshold: float
) -> str:
    """Draw a probability between 0 and 100 %.

    Parameters
    ----------
    probability : float
        From 0 to 1.
    interval : tuple of float or None
        Its interval; None where it is not known: then the diamond is hollow.
    no_call : tuple of float
        Indeterminate range.
    threshold : float
        Probability from which it is called high.

    Returns
    -------
    str
        SVG.
    """
    low, high = map(_place, no_call)
    mark, cut = _place(probability), _place(threshold)
    parts = [
        f'<rect x="{low:.1f}" y="2" width="{high - low:.1f}" height="{HEIGHT - 4}" fill="{NEUTRAL}" opacity="0.35"/>',
        f'<path d="M{EDGE} {MIDDLE}H{WIDTH - EDGE}" stroke="{NEUTRAL}" stroke-width="1.5"/>',
        *(f'<path d="M{_place(x):.1f} {MIDDLE - 3}v6" stroke="{NEUTRAL}" stroke-width="1.5"/>' for x in (0, 0.5, 1)),
        f'<path d="M{cut:.1f} 2V{HEIGHT - 2}" stroke="{NEUTRAL}" stroke-width="2" stroke-dasharray="3 2"/>',
    ]
    if interval is not None:
        left, right = map(_place, interval)
        parts.append(f'<path d="M{left:.1f} {MIDDLE}H{right:.1f}" stroke="{RAISES}" stroke-width="4"/>')
        parts += [f'<path d="M{x:.1f} {MIDDLE - 5}v10" stroke="{RAISES}" stroke-width="2"/>' for x in (left, right)]
    fill = "none" if interval is None else RAISES
    parts.append(
        f'<path d="M{mark:.1f} {MIDDLE - 6}l6 6l-6 6l-6 -6z" fill="{fill}" stroke="{RAISES}" stroke-width="2"/>'
    )
    size = f'width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size}>{"".join(parts)}</svg>'


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

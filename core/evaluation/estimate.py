"""One way to write a figure with its interval, or why there is none."""

import math
from collections.abc import Sequence

NOT_ESTIMABLE = "not estimable"


def write_estimate(
    value: float | None,
    interval: Sequence[float] | None,
    reason: str | None = None,
    *,
    digits: int = 3,
    level: float | None = 0.95,
    percent: bool = False,
) -> str:
    """Write a figure with its interval."""
    why = f": {reason.rstrip('.')}" if reason else ""
    if value is None or not math.isfinite(value):
        return NOT_ESTIMABLE + why
    figure = write_percent(value) if percent else f"{value:z.{digits}f}"
    if interval is None or not all(map(math.isfinite, interval)):
        return f"{figure} (no interval{why})"
    low, high = (f"{100 * limit:z.1f}" if percent else f"{limit:z.{digits}f}" for limit in interval)
    name = "" if level is None else f"{100 * level:g} % CI "
    return f"{figure} ({name}{low} to {high}{' %' if percent else ''})"


def write_number(value: float | None, digits: int = 3, reason: str | None = None) -> str:
    """Write a figure that has no interval by its nature, or why it is lacking."""
    if value is None or not math.isfinite(value):
        return NOT_ESTIMABLE + (f": {reason.rstrip('.')}" if reason else "")
    return f"{value:z.{digits}f}"


def write_percent(share: float) -> str:
    """Write a share as per cent with one decimal."""
    return f"{100 * share:z.1f} %"


def write_p(p: float | None) -> str:
    """Write a p value: "p = 0.041", "p < 0.001" or "p not estimable"."""
    if p is None or math.isnan(p):
        return "p not estimable"
    if p < 0.001:
        return "p < 0.001"
    return f"p = {p:.3f}" if p < 0.1 else f"p = {p:.2f}"

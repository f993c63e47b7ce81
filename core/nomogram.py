"""The nomogram: a linear head drawn as axes of points, and read back to a probability.

points_k(x) = sc (b_k x - min(b_k x)),  sc = max_points / max_k range(b_k x),  P = expit(lp0 + total / sc),
with lp0 = b0 + sum_k min(b_k x). Kattan MW, Marasco J. Semin Oncol 2010; Harrell, Regression Modeling Strategies (rms).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from core.errors import ModelError

PROBABILITY_TICKS = (0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99)


@dataclass(frozen=True)
class LinearHead:
    """logit = intercept + sum_k coefs[k] x_k."""

    intercept: float  # b0, log-odds
    coefs: Mapping[str, float]  # b_k by the name of its term


@dataclass(frozen=True)
class Axis:
    """One term's axis."""

    name: str  # term
    coef: float  # b_k
    # values, points: ticks: the term's value and its points
    values: tuple[float, ...]
    points: tuple[float, ...]
    offset: float  # min(b_k x) over the axis, log-odds


@dataclass(frozen=True)
class Nomogram:
    """Axes in points and the way back to a probability."""

    axes: tuple[Axis, ...]  # one for each term
    scale: float  # sc, points per unit of log-odds
    lp0: float  # log-odds at zero points

    def points(self, name: str, value: float) -> float:
        """Give the points of a term's value; below zero or above the axis where the value lies beyond its range."""
        axis = next(axis for axis in self.axes if axis.name == name)
        return self.scale * (axis.coef * value - axis.offset)

    def logit(self, total: float) -> float:
        """Give the log-odds at a total of points."""
        return self.lp0 + total / self.scale

    def probability(self, total: float) -> float:
        """Give the probability at a total of points."""
        logit = self.logit(total)
        return 1 / (1 + math.exp(-logit)) if logit > -700 else 0.0

    def total_points(self, probability: float) -> float:
        """Give the total of points at a probability strictly between 0 and 1."""
        return (math.log(probability / (1 - probability)) - self.lp0) * self.scale

    @property
    def max_total(self) -> float:
        """Total of points with every term at its most."""
        return sum(max(axis.points) for axis in self.axes)

    def probability_ticks(self) -> tuple[tuple[float, float], ...]:
        """Give (probability, total points) of the round probabilities that the total axis reaches."""
        ticks = ((p, self.total_points(p)) for p in PROBABILITY_TICKS)
        return tuple((p, total) for p, total in ticks if 0 <= total <= self.max_total)


def build_nomogram(head: LinearHead, ranges: Mapping[str, Sequence[float]], max_points: float = 100) -> Nomogram:
    """Turn a linear head into a nomogram.

    Parameters
    ----------
    head : LinearHead
        Intercept and coefficients.
    ranges : mapping of str to sequence of float
        Tick values of each term's axis; their least and greatest are the axis's ends.
    max_points : float
        Points of the longest axis.

    Returns
    -------
    Nomogram
        Axes in the order of the head's coefficients.

    Raises
    ------
    ModelError
        If a term has no range, or no term moves the logit.
    """
    missing = [name for name in head.coefs if len(ranges.get(name, ())) < 2]
    if missing:
        raise ModelError(f"The nomogram needs at least two axis values for {', '.join(missing)}.")
    ends = {
        name: (min(coef * x for x in ranges[name]), max(coef * x for x in ranges[name]))
        for name, coef in head.coefs.items()
    }
    longest = max((high - low for low, high in ends.values()), default=0.0)
    if longest <= 0:
        raise ModelError("No term of this model moves the probability, so there is no nomogram to draw.")
    scale = max_points / longest
    axes = tuple(
        Axis(
            name,
            coef,
            tuple(ranges[name]),
            tuple(scale * (coef * x - ends[name][0]) for x in ranges[name]),
            ends[name][0],
        )
        for name, coef in head.coefs.items()
    )
    return Nomogram(axes, scale, head.intercept + sum(low for low, _ in ends.values()))

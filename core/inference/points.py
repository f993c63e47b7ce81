"""One patient on the nomogram: ticks in clinical units, points of each term, and the way to the probability."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from core.clinical import BY_NAME
from core.inference.explain import format_value, label_term
from core.nomogram import LinearHead, Nomogram, build_nomogram
from models.fusion import FusionHead, Term

IMAGE_TICKS = (-3.0, -2.0, -1.0, 0.0, 1.0, 2.0, 3.0)
MOST_TICKS = 6


@dataclass(frozen=True)
class TermPoints:
    """One axis with the patient's mark."""

    # name, label, unit: term, what a reader sees, unit of its ticks
    name: str
    label: str
    unit: str
    tick_labels: tuple[str, ...]  # values in clinical units; empty where the value is not known
    tick_points: tuple[float, ...]  # their points
    value: str  # the patient's value, or "not known"
    known: bool  # false where the value is expected from the others: its axis is one point
    points: float  # the patient's points; beyond the axis where the value lies beyond the training data's range
    is_levels: bool = False  # whether the ticks are all the values that there are


@dataclass(frozen=True)
class PatientPoints:
    """A nomogram read for one patient."""

    nomogram: Nomogram  # axes and the way back to a probability
    terms: tuple[TermPoints, ...]  # one for each axis
    total: float  # sum of the points
    probability: float  # what the nomogram reads at the total; equals the model's


def score_points(head: FusionHead, score: float, clinical: Mapping[str, str | float]) -> PatientPoints:
    """Read the nomogram of a fusion head for one patient.

    Parameters
    ----------
    head : FusionHead
        Image and clinical terms.
    score : float
        The patient's image score.
    clinical : mapping of str to value
        Known clinical values.

    Returns
    -------
    PatientPoints
        Axes, points and probability.
    """
    head = head.given(clinical)
    coefs = {"image": head.image_coef}
    ranges: dict[str, tuple[float, ...]] = {"image": IMAGE_TICKS}
    labels = {"image": tuple(f"{tick:+g}" if tick else "0" for tick in IMAGE_TICKS)}
    z = {"image": score}
    for term, coef in zip(head.terms, head.coefs, strict=True):
        ticks = choose_ticks(term) if term.field in clinical else ()
        coefs[term.field], z[term.field] = float(coef), term.code(clinical.get(term.field))
        ranges[term.field] = tuple(term.code(tick) for tick in ticks) or (0.0, 0.0)
        labels[term.field] = tuple(tick if isinstance(tick, str) else f"{tick:g}" for tick in ticks) or ("", "")
    levels = {term.field for term in head.terms if term.scale == "levels"}
    nomogram = build_nomogram(LinearHead(head.intercept, coefs), ranges)
    terms = tuple(
        TermPoints(
            name=axis.name,
            label=label_term(axis.name),
            unit="SD of the score" if axis.name == "image" else BY_NAME[axis.name].unit,
            tick_labels=labels[axis.name],
            tick_points=axis.points,
            value=f"{score:+.2f}" if axis.name == "image" else format_value(axis.name, clinical.get(axis.name)),
            known=axis.name == "image" or axis.name in clinical,
            points=nomogram.points(axis.name, z[axis.name]),
            is_levels=axis.name in levels,
        )
        for axis in nomogram.axes
    )
    total = sum(term.points for term in terms)
    return PatientPoints(nomogram, terms, total, nomogram.probability(total))


def choose_ticks(term: Term) -> tuple[float | str, ...]:
    """Choose the ticks of a term's axis: all levels, or both ends of its range and round values between."""
    if term.scale == "levels":
        return tuple(sorted(term.levels, key=term.levels.__getitem__))
    step = _round_step((term.high - term.low) / MOST_TICKS)
    first = math.ceil((term.low + step / 2) / step)
    last = math.floor((term.high - step / 2) / step)
    return (term.low, *(i * step for i in range(first, last + 1)), term.high)


def _round_step(least: float) -> float:
    """Give the least of 1, 2, 5 times a power of ten that is not below a number."""
    power = 10.0 ** math.floor(math.log10(least))
    return next(power * factor for factor in (1, 2, 5, 10) if power * factor >= least * (1 - 1e-9))

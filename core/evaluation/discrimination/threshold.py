"""The threshold of a score, chosen on development data and frozen."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from core.errors import InputError
from core.evaluation.discrimination.roc import compute_roc, describe_missing_class

Rule = Literal["youden", "sensitivity", "specificity", "given"]


@dataclass(frozen=True)
class ThresholdResult:
    """A threshold and where it came from; positive is score >= threshold.

    Attributes
    ----------
    threshold : float or None
        Mid-point between two neighbouring scores.
    rule : str
        ``youden``, ``sensitivity``, ``specificity`` or ``given``.
    target : float or None
        The sensitivity or specificity asked for.
    chosen_on : str
        Name of the data.
    sensitivity, specificity : float or None
        Reached on these data; optimistic there.
    exploratory : bool
        True when it was chosen on the data that it is tested on.
    reason : str or None
        Why there is none.
    """

    threshold: float | None
    rule: Rule
    target: float | None = None
    chosen_on: str = "development"
    sensitivity: float | None = None
    specificity: float | None = None
    exploratory: bool = False
    reason: str | None = None

    def __float__(self) -> float:
        """Give the value; NaN when there is none."""
        return float("nan") if self.threshold is None else self.threshold


def choose_threshold(
    y: ArrayLike,
    score: ArrayLike,
    rule: Rule = "youden",
    *,
    target: float | None = None,
    chosen_on: str = "development",
    exploratory: bool = False,
) -> ThresholdResult:
    """Choose a threshold by a rule.

    Parameters
    ----------
    y : array-like, shape (n,)
        Outcome, 1 for the positive class.
    score : array-like, shape (n,)
        Score.
    rule : {"youden", "sensitivity", "specificity"}
        ``youden``: the largest sensitivity + specificity - 1, the lowest threshold among equals;
        ``sensitivity``: the highest threshold that reaches `target`; ``specificity``: the lowest one that does.
    target : float, optional
        Sensitivity or specificity to be reached, in (0, 1].
    chosen_on : str
        Name of the data, kept with the value.
    exploratory : bool
        Whether the threshold will be tested on these same data.

    Returns
    -------
    ThresholdResult
        Threshold None, with the reason, when both classes or two different scores are lacking.

    Raises
    ------
    InputError
        If the rule is unknown or its target is missing.
    """
    if rule not in {"youden", "sensitivity", "specificity"}:
        raise InputError(f"The rule '{rule}' is not known; take youden, sensitivity or specificity.")
    wanted = 0.0 if target is None else target
    if rule != "youden" and not 0 < wanted <= 1:
        raise InputError(f"The rule '{rule}' needs a target above 0 and up to 1.")
    result = compute_roc(y, score)
    reason = describe_missing_class(result.n, result.n_pos)
    curve = result.curve[np.isfinite(result.curve["threshold"])]
    if not reason and curve.empty:
        reason = "All scores are equal: no threshold separates anybody."
    if reason:
        return ThresholdResult(None, rule, target, chosen_on, exploratory=exploratory, reason=reason)
    if rule == "youden":
        gain = (curve["tpr"] - curve["fpr"]).round(12)
        allowed = curve[gain == gain.max()].iloc[-1:]
    elif rule == "sensitivity":
        allowed = curve[curve["tpr"] >= wanted - 1e-12].iloc[:1]
    else:
        allowed = curve[1 - curve["fpr"] >= wanted - 1e-12].iloc[-1:]
    if allowed.empty:
        reason = f"No threshold between two scores reaches a {rule} of {wanted:g}."
        return ThresholdResult(None, rule, target, chosen_on, exploratory=exploratory, reason=reason)
    point = allowed.iloc[0]
    return ThresholdResult(
        float(point["threshold"]),
        rule,
        target,
        chosen_on,
        float(point["tpr"]),
        float(1 - point["fpr"]),
        exploratory,
    )

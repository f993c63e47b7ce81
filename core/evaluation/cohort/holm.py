"""Holm's correction of p values within a family."""

from collections.abc import Mapping

import numpy as np


def adjust_holm(p_values: Mapping[str, float | None]) -> dict[str, float | None]:
    """Correct p values for the number of tests in their family.

    Parameters
    ----------
    p_values : mapping of str to float or None
        Name of the test to its p value; None and NaN are no tests.

    Returns
    -------
    dict of str to float or None
        ``max over j <= i of min(1, (m - j + 1) p_(j))``; Holm, Scand J Stat 1979;6:65-70.
    """
    tested = {name: p for name, p in p_values.items() if p is not None and not np.isnan(p)}
    adjusted: dict[str, float | None] = dict.fromkeys(p_values)
    largest = 0.0
    for position, (name, p) in enumerate(sorted(tested.items(), key=lambda item: item[1])):
        largest = max(largest, min(1.0, (len(tested) - position) * p))
        adjusted[name] = largest
    return adjusted

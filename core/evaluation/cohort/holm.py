"""Holm's correction of p values within a family."""

from collections.abc import Mapping
from itertools import accumulate

import numpy as np


def adjust_holm(p_values: Mapping[str, float | None]) -> dict[str, float | None]:
    """Correct the p values of a family by name; None and NaN are no tests. Holm, Scand J Stat 1979;6:65-70.

    Our own: statsmodels' `multipletests` collects the process's garbage at each call, half of an evaluation's time.
    """
    tested = {name: float(p) for name, p in p_values.items() if p is not None and not np.isnan(p)}
    names = sorted(tested, key=tested.__getitem__)
    steps = [min(1.0, (len(names) - rank) * tested[name]) for rank, name in enumerate(names)]
    return dict.fromkeys(p_values) | dict(zip(names, accumulate(steps, max), strict=True))

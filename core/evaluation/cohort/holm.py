"""Holm's correction of p values within a family."""

from collections.abc import Mapping

import numpy as np
from statsmodels.stats.multitest import multipletests


def adjust_holm(p_values: Mapping[str, float | None]) -> dict[str, float | None]:
    """Correct the p values of a family by name; None and NaN are no tests. Holm, Scand J Stat 1979;6:65-70."""
    tested = {name: p for name, p in p_values.items() if p is not None and not np.isnan(p)}
    corrected = multipletests(list(tested.values()), method="holm")[1] if tested else []
    return dict.fromkeys(p_values) | dict(zip(tested, map(float, corrected), strict=True))

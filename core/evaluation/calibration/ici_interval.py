"""The interval of the ICI, by the bootstrap."""

import numpy as np

from core.evaluation.calibration.smooth import smooth_at_patients
from core.evaluation.checks import Floats, Interval

N_BOOT = 200
SEED = 20_260_507
LEAST_USED = 0.9
MOST_PATIENTS = 20_000


def compute_ici_interval(y: Floats, prob: Floats, ici: float, conf_level: float) -> tuple[Interval | None, str]:
    """Compute percentiles of the ICI of resampled patients, moved by the bootstrap's bias, not below 0.

    A mean of absolute errors grows with noise, and resampling adds noise: unmoved percentiles lie too high. In
    simulation (n = 204 and 660, true ICI .05 and .07) the interval held it in 91 to 93 % of the samples, unmoved
    percentiles in 82 to 89 %; where the truth is 0 no interval of this kind reaches it.

    Returns
    -------
    tuple
        Limits or None, and the reason why there are none.
    """
    if len(y) > MOST_PATIENTS:
        return None, f"The ICI's interval is not computed above {MOST_PATIENTS:,} patients."
    generator = np.random.default_rng(SEED)
    values = []
    for _ in range(N_BOOT):
        rows = generator.integers(len(y), size=len(y))
        fitted = smooth_at_patients(y[rows], prob[rows])
        if fitted is not None:
            values.append(float(np.abs(fitted - prob[rows]).mean()))
    if len(values) < LEAST_USED * N_BOOT:
        return None, "Too many bootstrap samples had no curve for an interval of the ICI."
    tail = (1 - conf_level) / 2
    low, high = np.quantile(values, [tail, 1 - tail]) - (np.mean(values) - ici)
    return (max(0.0, float(low)), float(high)), ""

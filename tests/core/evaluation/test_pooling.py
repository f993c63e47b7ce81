"""Pooling over centres against published values and by hand."""

import numpy as np
import pytest

from core.evaluation import pool_random_effects

# Thirteen trials of BCG against tuberculosis (Colditz et al., JAMA 1994): events and others, vaccinated and not.
BCG = np.array(
    [
        [4, 119, 11, 128], [6, 300, 29, 274], [3, 228, 11, 209], [62, 13536, 248, 12619], [33, 5036, 47, 5761],
        [180, 1361, 372, 1079], [8, 2537, 10, 619], [505, 87886, 499, 87892], [29, 7470, 45, 7232],
        [17, 1699, 65, 1600], [186, 50448, 141, 27197], [5, 2493, 3, 2338], [27, 16886, 29, 17825],
    ]
)  # fmt: skip


def compute_log_risk_ratio() -> tuple[np.ndarray, np.ndarray]:
    a, b, c, d = BCG.T
    return np.log(a / (a + b) / (c / (c + d))), np.sqrt(1 / a - 1 / (a + b) + 1 / c - 1 / (c + d))


def test_restricted_maximum_likelihood_gives_the_published_values() -> None:
    """metafor's documentation (Viechtbauer, J Stat Softw 2010): tau^2 .3132, estimate -.7145; knha: se .1807."""
    pooled = pool_random_effects(*compute_log_risk_ratio())
    assert pooled.tau2 == pytest.approx(0.3132, abs=1e-4)
    assert pooled.estimate == pytest.approx(-0.7145, abs=1e-4)
    assert pooled.se == pytest.approx(0.1807, abs=1e-4)
    assert pooled.ci == pytest.approx((-1.1082, -0.3208), abs=1e-3)
    assert pooled.prediction[0] < pooled.ci[0] < pooled.ci[1] < pooled.prediction[1]


def test_centres_that_agree_have_no_variance_between_them() -> None:
    pooled = pool_random_effects([0.8, 0.8, 0.8], [0.1, 0.2, 0.1])
    assert (pooled.estimate, pooled.tau2, pooled.centres) == (pytest.approx(0.8), 0.0, 3)


def test_two_centres_have_no_prediction_interval_and_one_no_mean() -> None:
    assert pool_random_effects([0.7, 0.9], [0.1, 0.1]).prediction is None
    assert pool_random_effects([0.7, np.nan], [0.1, 0.1]).reason.startswith("Fewer than two centres")

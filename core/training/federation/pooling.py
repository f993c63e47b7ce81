"""The fusions of several sites pooled, and how much they differ."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from core.evaluation import pool_random_effects
from models.fusion import Term

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class PooledFusion:
    """Coefficients of all sites together."""

    coefs: Floats  # (2 + K,), intercept, image and clinical coefficients
    cov: Floats  # (2 + K, 2 + K), their covariance
    # ``estimate, se, tau, i2, prediction_low, prediction_high`` of each coefficient; NaN where not estimable
    table: pd.DataFrame


def pool_fusions(coefs: Sequence[Floats], covs: Sequence[Floats]) -> PooledFusion:
    """Pool the coefficients of several sites with random effects.

    Parameters
    ----------
    coefs, covs : sequence of ndarray of float64, (m,) and (m, m)
        Of each site, in one coding.

    Returns
    -------
    PooledFusion
        Generalised least squares with the sites' covariances and a variance between sites for each coefficient:
        ``b = (sum W_i)^-1 sum W_i b_i``, ``W_i = (V_i + diag tau^2)^-1``.

    Notes
    -----
    tau^2 by restricted maximum likelihood, a coefficient at a time (`core.evaluation.pool_random_effects`), since a few
    sites can't tell how they vary together. ``I^2 = tau^2 / (tau^2 + s^2)``, s^2 the typical variance within a site
    (Higgins and Thompson, Stat Med 2002;21:1539). Prediction interval of a new site's coefficient: t with k - 2 degrees
    of freedom, from three sites on (Riley et al., BMJ 2011;342:d549).
    """
    values, variances = np.stack(coefs), np.stack([np.diag(cov) for cov in covs])
    pooled = [pool_random_effects(values[:, j], np.sqrt(variances[:, j])) for j in range(values.shape[1])]
    tau2 = np.array([one.tau2 if one.tau2 is not None else 0.0 for one in pooled])
    weights = [np.linalg.inv(cov + np.diag(tau2)) for cov in covs]
    cov = np.linalg.inv(sum(weights))
    mean = np.asarray(cov @ sum(weight @ one for weight, one in zip(weights, coefs, strict=True)))
    se, k = np.sqrt(np.diag(cov)), len(values)
    reach = stats.t.ppf(0.975, k - 2) * np.sqrt(tau2 + se**2) if k > 2 else np.full(len(mean), math.nan)
    typical = np.array([_find_typical(variances[:, j]) for j in range(len(mean))])
    table = pd.DataFrame(
        {
            "estimate": mean,
            "se": se,
            "tau": np.sqrt(tau2),
            "i2": tau2 / (tau2 + typical),
            "prediction_low": mean - reach,
            "prediction_high": mean + reach,
        }
    )
    return PooledFusion(mean, cov, table)


def recode(coefs: Floats, cov: Floats, own: Sequence[Term], common: Sequence[Term]) -> tuple[Floats, Floats]:
    """Bring coefficients to terms with other centres: slopes stay, the intercept moves; exact."""
    shift = np.array([(to.centre - term.centre) / term.unit for term, to in zip(own, common, strict=True)])
    change = np.eye(len(coefs))
    change[0, 2:] = shift
    return change @ coefs, change @ cov @ change.T


def _find_typical(variances: Floats) -> float:
    weight = 1 / variances
    return float((len(weight) - 1) * weight.sum() / (weight.sum() ** 2 - (weight**2).sum()))

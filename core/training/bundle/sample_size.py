"""How many patients a model needs, to be developed (Riley et al., BMJ 2020, as R's pmsampsize) and to be validated."""

import math

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from core.errors import InputError

Floats = NDArray[np.float64]
Z = 1.96
AUC_WIDTH = 0.1
SHRINKAGE = 0.9


def compute_sample_size(n_parameters: int, r2_cox_snell: float, prevalence: float) -> dict[str, int]:
    """Compute the patients needed to develop a logistic model."""
    if not 0 < prevalence < 1 or n_parameters < 1:
        raise InputError("A sample size needs a share of events between 0 and 1 and at least one coefficient.")
    null = prevalence * math.log(prevalence) + (1 - prevalence) * math.log(1 - prevalence)
    most = 1 - math.exp(2 * null)
    if not 0 < r2_cox_snell < most:
        raise InputError(f"R squared is {r2_cox_snell:g}; at this share of events it lies between 0 and {most:.2f}.")
    small = r2_cox_snell / (r2_cox_snell + 0.05 * most)
    sizes = {
        "shrinkage": math.ceil(n_parameters / ((SHRINKAGE - 1) * math.log(1 - r2_cox_snell / SHRINKAGE))),
        "optimism": math.ceil(n_parameters / ((small - 1) * math.log(1 - r2_cox_snell / small))),
        "intercept": math.ceil((1.96 / 0.05) ** 2 * prevalence * (1 - prevalence)),
    }
    return sizes | {"needed": max(sizes.values())}


def compute_validation_size(
    prevalence: float, auc: float, linear: Floats, *, ratio_width: float = 0.2, slope_width: float = 0.2
) -> dict[str, int]:
    """Compute the patients needed to validate a logistic model (Riley et al., Stat Med 2021, as R's pmvalsampsize).

    Parameters
    ----------
    prevalence : float
        Expected share of events phi.
    auc : float
        Expected AUC, above 0.5 and below 1.
    linear : ndarray of float64, (m,)
        Log-odds that the model gives such patients.
    ratio_width, slope_width : float
        Wanted width of the 95 % interval of observed over expected events and of the calibration slope; that of the
        AUC is 0.1.

    Returns
    -------
    dict of str to int
        "ratio": (1 - phi) / (phi se^2) with the standard error of ln O/E; "slope": by the information of the model at
        slope 1; "auc": by Newcombe's variance; "needed": the largest.

    Raises
    ------
    InputError
        If prevalence or AUC is out of range.
    """
    if not 0 < prevalence < 1 or not 0.5 < auc < 1:
        raise InputError("A sample size needs a share of events between 0 and 1 and an AUC between 0.5 and 1.")
    error = math.asinh(ratio_width / 2) / Z
    weight = expit(linear) * expit(-linear)
    level, both, slope = (float(np.mean(weight * linear**power)) for power in (0, 1, 2))
    per_patient = level / (level * slope - both**2)
    sizes = {
        "ratio": math.ceil((1 - prevalence) / (prevalence * error**2)),
        "slope": math.ceil(per_patient / (slope_width / 2 / Z) ** 2),
        "auc": _size_for_auc(prevalence, auc),
    }
    return sizes | {"needed": max(sizes.values())}


def _size_for_auc(prevalence: float, auc: float) -> int:
    """Find the least n whose interval of the AUC is at most 0.1 wide."""
    low, high = 2, 10**7
    while low < high:
        n = (low + high) // 2
        half = n / 2 - 1
        spread = 1 + half * (1 - auc) / (2 - auc) + half * auc / (1 + auc)
        variance = auc * (1 - auc) * spread / (n**2 * prevalence * (1 - prevalence))
        low, high = (low, n) if 2 * Z * math.sqrt(variance) <= AUC_WIDTH else (n + 1, high)
    return low

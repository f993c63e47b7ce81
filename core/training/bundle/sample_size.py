"""How many patients a model needs (Riley et al., BMJ 2020;368:m441, as in R's pmsampsize)."""

import math

from core.errors import InputError


def compute_sample_size(
    n_parameters: int, r2_cox_snell: float, prevalence: float, *, shrinkage: float = 0.9
) -> dict[str, int]:
    """Compute the patients needed to develop a logistic model.

    Parameters
    ----------
    n_parameters : int
        Candidate coefficients p, without the intercept.
    r2_cox_snell : float
        Expected Cox-Snell R squared, 0 to its maximum.
    prevalence : float
        Expected share of events phi.
    shrinkage : float
        Wanted global shrinkage S.

    Returns
    -------
    dict of str to int
        "shrinkage": p / ((S - 1) ln(1 - R2 / S)); "optimism": the same with S for a difference of 0.05 in Nagelkerke's
        R squared; "intercept": (1.96 / 0.05)^2 phi (1 - phi); "needed": the largest of them.

    Raises
    ------
    InputError
        If a share does not lie strictly between 0 and 1, or R squared can't be reached at this prevalence.
    """
    if not 0 < prevalence < 1 or n_parameters < 1:
        raise InputError("A sample size needs a share of events between 0 and 1 and at least one coefficient.")
    null = prevalence * math.log(prevalence) + (1 - prevalence) * math.log(1 - prevalence)
    most = 1 - math.exp(2 * null)
    if not 0 < r2_cox_snell < most:
        raise InputError(f"R squared is {r2_cox_snell:g}; at this share of events it lies between 0 and {most:.2f}.")
    small = r2_cox_snell / (r2_cox_snell + 0.05 * most)
    sizes = {
        "shrinkage": math.ceil(n_parameters / ((shrinkage - 1) * math.log(1 - r2_cox_snell / shrinkage))),
        "optimism": math.ceil(n_parameters / ((small - 1) * math.log(1 - r2_cox_snell / small))),
        "intercept": math.ceil((1.96 / 0.05) ** 2 * prevalence * (1 - prevalence)),
    }
    return sizes | {"needed": max(sizes.values())}

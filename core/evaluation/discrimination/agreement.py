"""Agreement of two readers on the same patients: Cohen's kappa with its interval."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from core.errors import InputError
from core.evaluation.checks import Interval
from core.evaluation.discrimination.confusion import compute_metrics
from core.evaluation.proportion import compute_proportion


@dataclass(frozen=True)
class AgreementResult:
    """How far two readers agree.

    Attributes
    ----------
    n, agreed : int
        Patients that both called, and those that both called alike.
    share : float
        agreed / n.
    share_ci : tuple of float
        Wilson's interval.
    kappa : float
        Cohen's kappa; NaN where it is not defined.
    kappa_ci : tuple of float
        Its interval.
    reason : str or None
        Why there is no kappa, or no interval of it.
    """

    n: int
    agreed: int
    share: float
    share_ci: Interval
    kappa: float
    kappa_ci: Interval
    reason: str | None = None


def compute_agreement(first: ArrayLike, second: ArrayLike, *, conf_level: float = 0.95) -> AgreementResult:
    """Compute the agreement of two readers' calls.

    Parameters
    ----------
    first, second : array-like of bool, shape (n,)
        Whether each reader called the patient high.

    Returns
    -------
    AgreementResult
        ``kappa = (po - pe) / (1 - pe)``, Cohen, Educ Psychol Meas 1960;20:37-46; its standard error after Fleiss, Cohen
        and Everitt, Psychol Bull 1969;72:323-327, normal interval clipped to [-1, 1].

    Raises
    ------
    InputError
        If the lengths differ.
    """
    a, b = np.asarray(first, dtype=bool), np.asarray(second, dtype=bool)
    if a.shape != b.shape or a.ndim != 1:
        raise InputError(f"Two readers' calls must be as many: {a.size} and {b.size} came.")
    both, neither = int((a & b).sum()), int((~a & ~b).sum())
    metrics = compute_metrics(both, int((a & ~b).sum()), int((~a & b).sum()), neither, conf_level)
    row = metrics.loc["kappa"].to_dict()
    share, low, high = compute_proportion(both + neither, a.size, conf_level)
    kappa, ci = float(row["value"]), (float(row["ci_low"]), float(row["ci_high"]))
    return AgreementResult(
        n=int(a.size),
        agreed=both + neither,
        share=share,
        share_ci=(low, high),
        kappa=kappa,
        kappa_ci=ci,
        reason=row["reason"],
    )


def compare_readers(calls: pd.DataFrame) -> pd.DataFrame:
    """Compare each reader with the model, and both with the reference where it is known.

    Parameters
    ----------
    calls : DataFrame
        One row a reading: ``author``, and whether high: ``reader``, ``model``, ``reference`` (NaN where not known).

    Returns
    -------
    DataFrame
        ``author, pair, n, agreed, share, share_low, share_high, kappa, kappa_low, kappa_high, reason``; three rows an
        author. Reader and model are compared with the reference on the same patients.
    """
    rows = []
    for author, own in calls.groupby("author", sort=True):
        known = own.dropna(subset=["reference"])
        pairs = (
            ("reader and model", own["reader"], own["model"]),
            ("reader and surgical Ki-67", known["reader"], known["reference"]),
            ("model and surgical Ki-67", known["model"], known["reference"]),
        )
        for pair, first, second in pairs:
            result = compute_agreement(first.astype(bool), second.astype(bool))
            share, kappa = result.share_ci, result.kappa_ci
            found = (author, pair, result.n, result.agreed, result.share, *share, result.kappa, *kappa, result.reason)
            rows.append(found)
    names = (
        "author",
        "pair",
        "n",
        "agreed",
        "share",
        "share_low",
        "share_high",
        "kappa",
        "kappa_low",
        "kappa_high",
        "reason",
    )
    return pd.DataFrame(rows, columns=list(names))

"""AUC and calibration slope by centre, pooled with random effects, and what a new centre may expect."""

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
import pandas as pd
from scipy.special import expit, logit

from core.evaluation import PooledResult, RocResult, compute_calibration, compute_roc, pool_random_effects
from core.evaluation.calibration.measures import CalibrationResult
from core.evaluation.checks import Interval
from core.evaluation.cohort.subgroups import TOO_MANY_LEVELS
from core.evaluation.estimate import write_estimate
from core.figures.cohort.calibration import find_role
from core.figures.cohort.exhibit import Exhibit, Patients

Z = 1.96
FIGURES = {"auc": "AUC", "slope": "Calibration slope"}


@dataclass(frozen=True, eq=False)
class CentresExhibit(Exhibit):
    """The model by centre."""

    centres: dict[str, tuple[RocResult, CalibrationResult]]  # by centre
    # auc, slope: means over centres, that of the AUC on the logit scale
    auc: PooledResult
    slope: PooledResult
    name: ClassVar[str] = "centres"
    title: ClassVar[str] = "By centre"
    keys: ClassVar[tuple[str, ...]] = ("centres",)
    needs: ClassVar[tuple[str, ...]] = ("centre",)
    is_extra: ClassVar[bool] = True

    @classmethod
    def applies(cls, patients: Patients) -> bool:
        """Whether there are several centres, and not too many."""
        return "centre" in patients.table and 1 < patients.table["centre"].nunique() <= TOO_MANY_LEVELS

    @classmethod
    def of(cls, patients: Patients, **_: object) -> Self:
        """Evaluate each centre and pool."""
        role = find_role(patients)
        centres = {
            str(centre): (compute_roc(part["y"], part["prob"]), compute_calibration(part["y"], part["prob"], role=role))
            for centre, part in patients.table.groupby("centre")
        }
        aucs = [_to_logit(roc.auc, roc.auc_se) for roc, _ in centres.values()]
        slopes = [(fit.slope, fit.slope_se) for _, fit in centres.values()]
        pooled = (pool_random_effects(*np.array(pairs, dtype=np.float64).T) for pairs in (aucs, slopes))
        return cls(patients.name, centres, *pooled)

    def sentence(self) -> str:
        """Say the means, and what a new centre may expect."""
        parts = [
            f"{label} {write_estimate(*row[:2], None)}; expected at a new centre {_write_range(row[2])}"
            for label, row in self._pool().items()
            if row[0] is not None
        ]
        n = sum(roc.n for roc, _ in self.centres.values())
        where = f"Over {len(self.centres)} centres of {self.cohort} (n = {n:,})"
        return f"{where}: {'. '.join(parts)}." if parts else f"{where} no mean over centres can be estimated."

    def tables(self) -> dict[str, pd.DataFrame]:
        """Give a row a centre, then the mean and the prediction interval."""
        rows = []
        for centre, (roc, fit) in self.centres.items():
            slope = write_estimate(fit.slope, _make_interval(fit.slope, fit.slope_se), None, level=None)
            auc = write_estimate(roc.auc, roc.auc_ci, roc.reason, level=None)
            rows.append([centre, f"{roc.n:,}", f"{roc.n_pos:,}", auc, slope])
        means = self._pool().values()
        rows += [
            ["Mean over centres", "", "", *(write_estimate(*row[:2], None, level=None) for row in means)],
            ["Expected at a new centre", "", "", *(_write_range(row[2]) for row in means)],
        ]
        columns = ["Centre", "n", "Events", *(f"{label} (95 % CI)" for label in FIGURES.values())]
        return {"AUC and calibration slope by centre": pd.DataFrame(rows, columns=columns)}

    def record(self) -> dict[str, object]:
        """Give the means with their intervals."""
        rows = zip(FIGURES, self._pool().values(), strict=True)
        return {
            "centres": {
                name: {"estimate": row[0], "ci": row[1], "prediction": row[2], "centres": len(self.centres)}
                for name, row in rows
            }
        }

    def _pool(self) -> dict[str, tuple[float | None, Interval | None, Interval | None]]:
        """Mean, interval and prediction interval by label, the AUC back on its own scale."""
        auc, slope = self.auc, self.slope
        found = (
            (None if auc.estimate is None else float(expit(auc.estimate)), _back(auc.ci), _back(auc.prediction)),
            (slope.estimate, slope.ci, slope.prediction),
        )
        return dict(zip(FIGURES.values(), found, strict=True))


def _to_logit(auc: float | None, se: float | None) -> tuple[float, float]:
    if auc is None or se is None or not 0 < auc < 1:
        return np.nan, np.nan
    return float(logit(auc)), se / (auc * (1 - auc))


def _back(interval: Interval | None) -> Interval | None:
    return None if interval is None else (float(expit(interval[0])), float(expit(interval[1])))


def _make_interval(estimate: float | None, se: float | None) -> Interval | None:
    return None if estimate is None or se is None else (estimate - Z * se, estimate + Z * se)


def _write_range(interval: Interval | None) -> str:
    return "not estimable" if interval is None else f"{interval[0]:.3f} to {interval[1]:.3f}"

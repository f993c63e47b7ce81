"""Calibration corrected: for optimism by the bootstrap, and to a local cohort by an update."""

from dataclasses import dataclass
from typing import ClassVar, Self

import pandas as pd

from core.evaluation import OptimismResult, RecalibrationResult, compute_recalibration
from core.evaluation.calibration.optimism import compute_combination_optimism
from core.evaluation.calibration.recalibration import Update
from core.evaluation.estimate import write_number
from core.figures.cohort.calibration import find_role, tabulate_calibration
from core.figures.cohort.exhibit import Exhibit, Patients


@dataclass(frozen=True, eq=False)
class OptimismExhibit(Exhibit):
    """Apparent performance on development patients, and what is left of it after correction by the bootstrap."""

    result: OptimismResult
    name: ClassVar[str] = "optimism"
    title: ClassVar[str] = "Corrected for optimism"
    ask: ClassVar[str] = "Correct for optimism"
    is_extra: ClassVar[bool] = True

    @classmethod
    def applies(cls, patients: Patients) -> bool:
        """Whether they are those that the model was fitted on."""
        return patients.is_development

    @classmethod
    def explain_lack(cls, patients: Patients) -> str:
        """Say that the combination can't be refitted."""
        if not patients.find_lacking("prob_image", "prob_clinical"):
            return ""
        return (
            "Not corrected for optimism: the table has only the finished probability. With the columns prob_image and "
            "prob_clinical their combination can be refitted."
        )

    @classmethod
    def of(cls, patients: Patients, **_: object) -> Self:
        """Correct the combination of the two parts."""
        return cls(patients.name, compute_combination_optimism(patients.table))

    def sentence(self) -> str:
        """Say what was refitted, and how often."""
        o = self.result
        return (
            f"Logistic combination of the image's and the clinical model's log-odds, refitted in {o.n_used:,} of "
            f"{o.n_boot:,} bootstrap samples of {self.cohort}; n = {o.n:,}, {o.events:,} with high Ki-67. "
            f"{o.reason or ''}"
        ).strip()

    def notes(self) -> list[str]:
        """Say what the correction leaves out."""
        return [
            "The two models themselves are not refitted, so the optimism of the whole model is larger: the Model "
            "page gives the slope with the whole fit repeated, where it was measured; the test splits show it too."
        ]

    def tables(self) -> dict[str, pd.DataFrame]:
        """Set apparent and corrected performance side by side."""
        labels = {"auc": "AUC", "brier": "Brier score", "intercept": "Intercept (ideal 0)", "slope": "Slope (ideal 1)"}
        shown = (self.result.table.rename(index=labels).round(3) + 0.0).map(write_number)
        shown = shown.rename(columns=str.capitalize).rename_axis("Figure").reset_index()
        return {"Apparent performance and performance corrected for optimism": shown}

    def record(self) -> dict[str, object]:
        """Give apparent performance, optimism and what is left."""
        fields = ("n", "events", "n_boot", "n_used", "reason")
        return {
            "optimism": {name: getattr(self.result, name) for name in fields}
            | {"table": self.result.table.reset_index()}
        }


@dataclass(frozen=True, eq=False)
class RecalibrationExhibit(Exhibit):
    """The model updated to the patients, before and after, with the number of patients that an update needs."""

    result: RecalibrationResult
    name: ClassVar[str] = "recalibration"
    title: ClassVar[str] = "Recalibration to these patients"
    ask: ClassVar[str] = "Compute the update"
    is_extra: ClassVar[bool] = True

    @classmethod
    def of(cls, patients: Patients, *, update: Update = "intercept", **_: object) -> Self:
        """Estimate the update; each tenth is judged with one estimated on the rest."""
        y, prob, role = patients.table["y"], patients.table["prob"], find_role(patients)
        return cls(patients.name, compute_recalibration(y, prob, update=update, role=role, ici_interval=True))

    def sentence(self) -> str:
        """Say the update and the patients that it needs, or why there is none."""
        r = self.result
        if r.intercept is None:
            return f"No update: {r.reason}"
        return (
            f"Updated log-odds = {r.intercept:+.3f} + {r.slope:.3f} x the model's log-odds. For an interval of the "
            f"updated term no wider than the estimate \u00b1 {r.half_width:g}, {r.n_needed:,} patients are needed; "
            f"there are {r.before.n:,}."
        )

    def tables(self) -> dict[str, pd.DataFrame]:
        """Set calibration before and after the update side by side."""
        if self.result.after is None:
            return {}
        before, after = tabulate_calibration(self.result.before), tabulate_calibration(self.result.after)
        value = before.columns[1]
        shown = before.rename(columns={value: "Before"}).assign(
            **{"After (each tenth updated from the rest)": after[value]}
        )
        return {"Calibration before and after the update": shown}

    def record(self) -> dict[str, object]:
        """Give the update and the patients that it needs."""
        fields = ("update", "intercept", "slope", "n_needed", "half_width", "reason")
        return {"recalibration": {name: getattr(self.result, name) for name in fields}}

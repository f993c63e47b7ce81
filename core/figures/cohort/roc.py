"""Discrimination: ROC curves with the operating point, and the models compared."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import pandas as pd
import plotly.graph_objects as go

from core.evaluation import ConfusionResult, ModelComparison, RocResult, ThresholdResult, compute_confusion
from core.evaluation.cohort.labels import write_within
from core.evaluation.cohort.records import render_confusion, render_roc
from core.evaluation.cohort.results import label_model
from core.evaluation.cohort.split import (
    MAIN,
    PARTS,
    PREFIX,
    choose_cohort_threshold,
    compare_models,
    list_models,
)
from core.evaluation.estimate import NOT_ESTIMABLE, write_estimate, write_p
from core.figures.cohort.exhibit import Exhibit, Patients, style_models
from core.figures.theme import COLOURS, NEUTRAL, fill_colour, new_figure
from core.figures.wording import thin_rows, word_count

SIDE = 480
METRICS = {
    "sensitivity": "Sensitivity",
    "specificity": "Specificity",
    "ppv": "Positive predictive value",
    "npv": "Negative predictive value",
    "accuracy": "Accuracy",
    "balanced_accuracy": "Balanced accuracy",
    "f1": "F1",
    "lr_pos": "Positive likelihood ratio",
    "lr_neg": "Negative likelihood ratio",
    "dor": "Diagnostic odds ratio",
    "kappa": "Cohen's kappa",
    "mcc": "Matthews correlation",
}


@dataclass(frozen=True, eq=False)
class RocExhibit(Exhibit):
    """ROC curves of every model, and the main one at its threshold."""

    rocs: dict[str, RocResult]  # by label, the main model first: it alone has the band
    threshold: ThresholdResult | None = None  # the threshold with its origin
    confusion: ConfusionResult | None = None  # the main model at it
    name: ClassVar[str] = "roc"
    keys: ClassVar[tuple[str, ...]] = ("discrimination",)

    @classmethod
    def of(cls, patients: Patients, **_: object) -> Self:
        """Compute ROC curves and, where there is a threshold, the confusion matrix."""
        table, cut = patients.table, patients.threshold.threshold
        confusion = None if cut is None else compute_confusion(table["y"], table["prob"], cut)
        return cls(patients.name, patients.rocs, patients.threshold, confusion)

    @property
    def main(self) -> RocResult:
        """The main model's curve."""
        return next(iter(self.rocs.values()))

    def figure(self) -> go.Figure:
        """Draw a square; a model without an AUC is left out of it."""
        figure = draw_rocs(self.rocs)
        if self.confusion is not None:
            value = self.confusion.metrics["value"]
            figure.add_scatter(
                x=[1 - value["specificity"]],
                y=[value["sensitivity"]],
                mode="markers",
                marker={"symbol": "diamond", "size": 13, "color": COLOURS[0]},
                name=f"Threshold {self.confusion.threshold:.3f}",
                hovertemplate="sensitivity %{y:.3f}<br>1 - specificity %{x:.3f}<extra></extra>",
            )
        return figure

    def sentence(self) -> str:
        """Say the AUC, and sensitivity and specificity at the threshold."""
        roc, point = self.main, self.confusion
        auc = write_estimate(roc.auc, roc.auc_ci, roc.reason, level=roc.conf_level)
        text = f"In {self.cohort} the AUC was {auc}; n = {roc.n:,}, {word_count(roc.n_pos, 'event')}."
        if point is not None:
            metrics = point.metrics.to_dict("index")
            shares = [
                f"{name} {write_metric(metrics[name], level=point.conf_level, percent=True)}"
                for name in ("sensitivity", "specificity")
            ]
            text += f" At a threshold of {point.threshold:.3f}: {' and '.join(shares)}."
        return f"{text} {roc.reason}" if roc.reason and roc.auc_ci else text

    def notes(self) -> list[str]:
        """Say that there is no matrix."""
        return ["Without a threshold there is no matrix."] if self.confusion is None else []

    def tables(self) -> dict[str, pd.DataFrame]:
        """Give the matrix and its metrics."""
        if self.confusion is None:
            return {}
        return {
            "Confusion matrix at the threshold": tabulate_matrix(self.confusion),
            "Metrics at the threshold with their intervals": tabulate_confusion(self.confusion),
        }

    def data(self) -> pd.DataFrame:
        """Stack the curves of all models, with the model's name in the first column."""
        return stack_curves(self.rocs)

    def record(self) -> dict[str, object]:
        """Give AUCs, threshold and confusion matrix."""
        cut, labels = self.threshold, list(self.rocs)[1:]
        lacks = cut is not None and cut.threshold is None
        return {
            "discrimination": render_roc(self.main),
            "models": {label: render_roc(self.rocs[label]) for label in labels},
            "threshold": cut
            and {
                "value": cut.threshold,
                "rule": cut.rule,
                "chosen_on": cut.chosen_on,
                "exploratory": cut.exploratory,
                "reason": cut.reason,
            },
            "confusion": None if self.confusion is None else render_confusion(self.confusion),
            "reasons": {"confusion": f"There is no threshold: {cut.reason}"} if cut and lacks else {},
        }


@dataclass(frozen=True, eq=False)
class ModelsExhibit(Exhibit):
    """The models side by side, and the tests of the main one against each other."""

    rocs: dict[str, RocResult]
    comparisons: tuple[ModelComparison, ...]
    name: ClassVar[str] = "models"
    title: ClassVar[str] = "Models compared"

    @classmethod
    def of(cls, patients: Patients, **_: object) -> Self:
        """Compare each model with the main one."""
        cuts = {
            name: choose_cohort_threshold(patients.whole, PREFIX + name).threshold
            for name in list_models(patients.table)
        }
        cut, fitted = patients.threshold.threshold, patients.is_development
        return cls(patients.name, patients.rocs, compare_models(patients.table, cut, cuts, is_development=fitted))

    def cautions(self) -> list[str]:
        """Say where the main model's AUC lies below that of a part of itself, with the test."""
        sentences = []
        for comparison in self.comparisons:
            roc = comparison.roc
            if comparison.model in PARTS and roc.difference is not None and roc.difference < 0:
                sentences.append(
                    f"In {self.cohort} the combined model's AUC, {roc.auc_a:.3f}, lies below that of a part of it, "
                    f"{write_within(label_model(comparison.model))}, {roc.auc_b:.3f}: difference "
                    f"{write_estimate(roc.difference, roc.ci, roc.reason)}, {write_p(roc.p)}; n = {roc.n:,}."
                )
        return sentences

    def notes(self) -> list[str]:
        """Say which columns would bring other models."""
        alone = len(self.rocs) == 1
        return ["The table has no other model (columns prob_image, prob_clinical, prob_m2)."] if alone else []

    def tables(self) -> dict[str, pd.DataFrame]:
        """Give a row a model."""
        tests = {label_model(comparison.model): comparison for comparison in self.comparisons}
        rows = [
            [
                label,
                f"{roc.n:,}",
                f"{roc.n_pos:,}",
                write_estimate(roc.auc, roc.auc_ci, roc.reason, level=None),
                *_write_tests(tests.get(label)),
            ]
            for label, roc in self.rocs.items()
        ]
        names = ["Score", "n", "Events", "AUC (95 % CI)", f"{label_model(MAIN)} minus it", "DeLong; Holm", "McNemar"]
        return {"AUC of each model and tests against the main one": pd.DataFrame(rows, columns=names)}

    def record(self) -> dict[str, object]:
        """Give the comparisons."""
        fields = ("n", "n_pos", "auc_a", "auc_b", "difference", "se", "ci", "z", "p", "reason")
        return {
            "comparisons": [
                {
                    "model": other.model,
                    **{name: getattr(other.roc, name) for name in fields},
                    "p_holm": other.p_holm,
                    "mcnemar": other.mcnemar and vars(other.mcnemar),
                }
                for other in self.comparisons
            ]
        }


def draw_rocs(rocs: Mapping[str, RocResult]) -> go.Figure:
    """Draw ROC curves by name in a square, the first with its band."""
    figure = new_figure(x_title="1 - specificity", y_title="Sensitivity", height=SIDE)
    chance = {"color": NEUTRAL, "dash": "dot", "width": 1}
    figure.add_scatter(x=[0, 1], y=[0, 1], mode="lines", line=chance, name="Chance", hoverinfo="skip")
    styles, first = style_models(rocs), next(iter(rocs.values()))
    if first.auc is not None:
        band = thin_rows(first.curve)
        figure.add_scatter(
            x=[*band["fpr"], *band["fpr"][::-1]],
            y=[*band["tpr_high"], *band["tpr_low"][::-1]],
            fill="toself",
            fillcolor=fill_colour(str(styles[next(iter(rocs))]["line"]["color"])),
            line={"width": 0},
            mode="lines",
            name=f"{100 * first.conf_level:g} % band",
            hoverinfo="skip",
        )
    for name, roc in rocs.items():
        if roc.auc is not None:
            curve = thin_rows(roc.curve)
            figure.add_scatter(
                x=curve["fpr"],
                y=curve["tpr"],
                mode="lines",
                line=styles[name]["line"],
                customdata=curve["threshold"],
                name=f"{name}: AUC {roc.auc:.3f}",
                hovertemplate="threshold %{customdata:.3f}<br>sensitivity %{y:.3f}<br>1 - specificity %{x:.3f}"
                "<extra></extra>",
            )
    figure.update_xaxes(range=[-0.01, 1.01], dtick=0.2, constrain="domain", constraintoward="left")
    return figure.update_yaxes(range=[-0.01, 1.01], dtick=0.2, constrain="domain", scaleanchor="x")


def stack_curves(rocs: Mapping[str, RocResult]) -> pd.DataFrame:
    """Stack ROC curves as they are drawn, with the score's name in the first column."""
    stacked = pd.concat([thin_rows(roc.curve).assign(score=name) for name, roc in rocs.items()], ignore_index=True)
    return stacked[["score", *stacked.columns.drop("score")]]


def tabulate_matrix(confusion: ConfusionResult) -> pd.DataFrame:
    """Lay out the confusion matrix, predictions in rows."""
    c = confusion
    return pd.DataFrame(
        {
            "Prediction": ["Predicted high", "Predicted low", "Total"],
            "Ki-67 high": [c.tp, c.fn, c.tp + c.fn],
            "Ki-67 low": [c.fp, c.tn, c.fp + c.tn],
            "Total": [c.tp + c.fp, c.fn + c.tn, c.n],
        }
    )


def tabulate_confusion(confusion: ConfusionResult) -> pd.DataFrame:
    """List the metrics of a confusion matrix with their intervals, or why there is none."""
    metrics = confusion.metrics.to_dict("index")
    rows = [[label, write_metric(metrics[name])] for name, label in METRICS.items()]
    return pd.DataFrame(rows, columns=["Metric", f"Value ({100 * confusion.conf_level:g} % CI)"])


def write_metric(row: Mapping[Any, Any], *, level: float | None = None, percent: bool = False) -> str:
    """Write one row of a confusion matrix's metrics."""
    limits = (row["ci_low"], row["ci_high"])
    return write_estimate(row["value"], limits, row["reason"], level=level, percent=percent)


def _write_tests(comparison: ModelComparison | None) -> list[str]:
    if comparison is None:
        return ["", "", ""]
    roc, mcnemar = comparison.roc, comparison.mcnemar
    delong = roc.reason or NOT_ESTIMABLE if roc.p is None else f"{write_p(roc.p)}; {write_p(comparison.p_holm)}"
    difference = write_estimate(roc.difference, roc.ci, roc.reason, level=None)
    return [difference, delong, "" if mcnemar is None else write_p(mcnemar.p)]

"""Node metastasis: its rate by predicted group, what predicts it, and the decision curve of that."""

from dataclasses import dataclass
from typing import Any, ClassVar, Self

import pandas as pd
import plotly.graph_objects as go

from core.evaluation import ConfusionResult, LymphNodeResult, RocComparison, RocResult
from core.evaluation.cohort.net_benefit import NODE_LABELS, compute_node_net_benefit
from core.evaluation.cohort.records import pair_limits, render_confusion, render_roc
from core.evaluation.cohort.split import NODE_HEADS
from core.evaluation.estimate import write_estimate, write_p
from core.figures.cohort.decision_curve import NODE_RANGE, BenefitExhibit
from core.figures.cohort.exhibit import GROUP, KI67, Exhibit, Patients, style_models
from core.figures.cohort.roc import draw_rocs, stack_curves, tabulate_confusion, write_metric
from core.figures.theme import COLOURS, NEUTRAL, PERCENT, new_figure
from core.figures.wording import caution_few, word_count

BARS = {"high": (COLOURS[1], "/"), "low": (COLOURS[0], "")}


@dataclass(frozen=True, eq=False)
class NodesExhibit(Exhibit):
    """Node metastasis; the base of its exhibits."""

    result: LymphNodeResult
    needs: ClassVar[tuple[str, ...]] = ("lnm",)
    needs_groups: ClassVar[bool] = True

    @classmethod
    def of(cls, patients: Patients, **_: object) -> Self:
        """Take rates, tests and predictors by the group that the threshold makes."""
        return cls(patients.name, patients.nodes)

    @property
    def counts(self) -> str:
        """Patients and those with metastasis."""
        return f"n = {self.result.n:,}, {word_count(self.result.events, 'patient')} with metastasis"


@dataclass(frozen=True, eq=False)
class NodeRatesExhibit(NodesExhibit):
    """The rate of node metastasis in the predicted groups."""

    name: ClassVar[str] = "lymph_nodes"
    keys: ClassVar[tuple[str, ...]] = ("lymph_nodes",)

    def figure(self) -> go.Figure:
        """Draw one bar a group with its Wilson interval and its counts."""
        figure = new_figure(x_title="Predicted Ki-67 group", y_title="Node metastasis")
        for row in self.result.rates.dropna(subset=["rate"]).to_dict("records"):
            colour, pattern = BARS[row["group"]]
            figure.add_bar(
                x=[f"{row['group'].capitalize()}<br>{row['events']:,} of {row['n']:,}"],
                y=[row["rate"]],
                error_y={
                    "type": "data",
                    "symmetric": False,
                    "array": [row["ci_high"] - row["rate"]],
                    "arrayminus": [row["rate"] - row["ci_low"]],
                    "color": NEUTRAL,
                    "thickness": 2,
                    "width": 8,
                },
                marker={"color": colour, "opacity": 0.55, "pattern": {"shape": pattern, "fillmode": "overlay"}},
                width=0.5,
                name=row["group"].capitalize(),
                hovertemplate="%{y:.1%}<extra></extra>",
                showlegend=False,
            )
        return figure.update_yaxes(range=[0, 1], **PERCENT)

    def sentence(self) -> str:
        """Say counts, intervals and the test."""
        r = self.result
        parts = [
            f"{row['events']:,} of {row['n']:,} in the {row['group']} group, {_write_rate(row)}"
            for row in r.rates.to_dict("records")
        ]
        p = r.p_fisher if r.test == "Fisher" else r.p
        test = f"{r.test} test {write_p(p)}" if p is not None else f"no test: {r.reason}"
        return f"In {self.cohort}, node metastasis was found in {' and in '.join(parts)}; {test}; {self.counts}."

    def notes(self) -> list[str]:
        """Say the difference between the groups."""
        nodes, points = self.result, None if self.result.difference is None else 100 * self.result.difference
        limits = nodes.difference_ci and [100 * limit for limit in nodes.difference_ci]
        return [
            f"Difference high minus low, percentage points: {write_estimate(points, limits, nodes.reason, digits=1)}."
        ]

    def tables(self) -> dict[str, pd.DataFrame]:
        """Give the rates, and the group as a classifier."""
        rows = [
            [row["group"].capitalize(), f"{row['n']:,}", f"{row['events']:,}", _write_rate(row)]
            for row in self.result.rates.to_dict("records")
        ]
        names = ["Predicted Ki-67", "n", "With metastasis", "Rate"]
        return {
            "Node metastasis by predicted group": pd.DataFrame(rows, columns=names),
            "The predicted group as a classifier of metastasis": tabulate_confusion(self.result.group_classifier),
        }

    def data(self) -> pd.DataFrame:
        """Give the rates."""
        return self.result.rates

    def record(self) -> dict[str, object]:
        """Give rates, tests and predictors."""
        nodes = self.result
        fields = ("n", "events", "difference", "difference_ci", "test", "chisq", "p", "p_fisher", "note", "reason")
        rates = {
            row["group"]: {
                **{name: row[name] for name in ("n", "events", "rate")},
                "ci": pair_limits(row["ci_low"], row["ci_high"]),
            }
            for row in nodes.rates.to_dict("records")
        }
        predictors = {
            "group_as_classifier": render_confusion(nodes.group_classifier),
            "ki67_probability": render_roc(nodes.ki67_probability),
            "head": render_roc(nodes.head),
            "head_without_aln": render_roc(nodes.head_without_aln),
            "ultrasound": nodes.ultrasound and render_confusion(nodes.ultrasound),
            "comparisons": {
                name: {field: getattr(test, field) for field in ("difference", "se", "ci", "z", "p", "reason")}
                for name, test in nodes.comparisons.items()
            },
        }
        return {"lymph_nodes": {name: getattr(nodes, name) for name in fields} | {"rates": rates} | predictors}


@dataclass(frozen=True, eq=False)
class NodeRocExhibit(NodesExhibit):
    """ROC curves of what predicts node metastasis, and the binary predictors as points."""

    name: ClassVar[str] = "node_roc"
    title: ClassVar[str] = "What predicts metastasis"

    @property
    def curves(self) -> dict[str, RocResult]:
        """The scores by name, the dedicated heads first."""
        heads = (self.result.head, self.result.head_without_aln)
        curves = {NODE_LABELS[name]: roc for name, roc in zip(NODE_HEADS, heads, strict=True)}
        return {name: roc for name, roc in {**curves, KI67: self.result.ki67_probability}.items() if roc is not None}

    @property
    def points(self) -> dict[str, ConfusionResult]:
        """The binary predictors by name."""
        points = {GROUP: self.result.group_classifier, NODE_LABELS["aln_us"]: self.result.ultrasound}
        return {name: point for name, point in points.items() if point is not None}

    def figure(self) -> go.Figure:
        """Draw the first score with its band: the dedicated head if there is one, else the Ki-67 probability."""
        figure = draw_rocs(self.curves)
        styles = style_models(self.points)
        for label, point in self.points.items():
            value = point.metrics["value"]
            figure.add_scatter(
                x=[1 - value["specificity"]],
                y=[value["sensitivity"]],
                mode="markers",
                marker={**styles[label]["marker"], "size": 12},
                name=label,
                hovertemplate="sensitivity %{y:.3f}<br>1 - specificity %{x:.3f}<extra></extra>",
            )
        return figure

    def sentence(self) -> str:
        """Say the AUC with interval of each score."""
        parts = [
            f"{name} {write_estimate(roc.auc, roc.auc_ci, roc.reason, level=roc.conf_level)}"
            for name, roc in self.curves.items()
        ]
        return f"In {self.cohort} the AUC for node metastasis was: {'; '.join(parts)}; {self.counts}."

    def cautions(self) -> list[str]:
        """Say that axillary ultrasound among the inputs makes it circular."""
        nodes = self.result
        return [nodes.note, *caution_few("Node metastasis", min(nodes.events, nodes.n - nodes.events))]

    def tables(self) -> dict[str, pd.DataFrame]:
        """Set the predictors side by side."""
        keys = {KI67: "ki67", NODE_LABELS[NODE_HEADS[1]]: "head_without_aln", NODE_LABELS["aln_us"]: "ultrasound"}
        against = {name: _write_difference(self.result.comparisons.get(key)) for name, key in keys.items()}
        rows = []
        for name, roc in self.curves.items():
            auc = write_estimate(roc.auc, roc.auc_ci, roc.reason, level=None)
            rows.append([name, f"{roc.n:,}", auc, "", "", "", against.get(name, "")])
        for name, point in self.points.items():
            metrics = point.metrics.to_dict("index")
            cells = [write_metric(metrics[metric]) for metric in ("sensitivity", "specificity", "accuracy")]
            rows.append([name, f"{point.n:,}", "", *cells, against.get(name, "")])
        names = [
            "Predictor",
            "n",
            "AUC (95 % CI)",
            "Sensitivity",
            "Specificity",
            "Accuracy",
            "Node model minus it (AUC)",
        ]
        return {"Predictors of node metastasis side by side": pd.DataFrame(rows, columns=names)}

    def data(self) -> pd.DataFrame:
        """Stack the curves, with the score's name in the first column."""
        return stack_curves(self.curves)


@dataclass(frozen=True, eq=False)
class NodeBenefitExhibit(BenefitExhibit):
    """Net benefit for node metastasis of the dedicated heads and of axillary ultrasound."""

    name: ClassVar[str] = "node_decision_curve"
    title: ClassVar[str] = "Decision curve for node metastasis"
    needs: ClassVar[tuple[str, ...]] = ("lnm",)

    @classmethod
    def applies(cls, patients: Patients) -> bool:
        """Whether the table has one of the dedicated heads."""
        return len(patients.find_lacking(*NODE_HEADS)) < len(NODE_HEADS)

    @classmethod
    def of(cls, patients: Patients, **_: object) -> Self:
        """Compute net benefit."""
        return cls(patients.name, compute_node_net_benefit(patients.table), NODE_RANGE)

    def record(self) -> dict[str, object]:
        """Give the curves."""
        result = self.result
        record = {"decision_curve": result.table, "n": result.n, "prevalence": result.prevalence}
        return {"node_decision_curve": record}


def _write_rate(row: Any) -> str:
    return write_estimate(row["rate"], (row["ci_low"], row["ci_high"]), "nobody is in it", percent=True)


def _write_difference(comparison: RocComparison | None) -> str:
    if comparison is None:
        return ""
    difference = write_estimate(comparison.difference, comparison.ci, comparison.reason, level=None)
    return f"{difference}, {write_p(comparison.p)}"

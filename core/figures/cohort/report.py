"""The whole evaluation of a prediction table as one self-contained HTML file."""

import base64
import html
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from core.cohort import PredictionTable
from core.evaluation import (
    DecisionCurveResult,
    SplitEvaluation,
    ThresholdResult,
    compute_split,
    count_flow,
)
from core.evaluation.cohort.net_benefit import (
    compute_labelled_net_benefit,
    compute_node_net_benefit,
    compute_recurrence_net_benefit,
    fit_recurrence_risk,
    list_horizons,
)
from core.evaluation.cohort.results import (
    compute_cohort_subgroups,
    compute_rocs,
    describe_patients,
    describe_threshold,
    label_model,
)
from core.evaluation.cohort.split import FITTED_ON, MAIN
from core.evaluation.cohort.survival import describe_hazards
from core.evaluation.cohort.table_one import ORDER
from core.figures.cohort import cohort_tables as cohorts
from core.figures.cohort import tables
from core.figures.cohort.calibration import describe_calibration, plot_calibration
from core.figures.cohort.decision_curve import (
    KI67_RANGE,
    NODE_RANGE,
    describe_decision_curve,
    find_range,
    plot_decision_curve,
)
from core.figures.cohort.flow import plot_flow
from core.figures.cohort.forest import describe_forest, plot_forest
from core.figures.cohort.kaplan_meier import describe_kaplan_meier, plot_kaplan_meier
from core.figures.cohort.lymph_nodes import describe_lymph_nodes, plot_lymph_nodes
from core.figures.cohort.parts import describe_lower_auc, describe_lower_benefit
from core.figures.cohort.roc import describe_roc, plot_roc
from core.figures.cohort.tripod import tabulate_checklist
from core.figures.rendering import render_svg

NAMES = {
    "train": "training split",
    "validation": "validation split",
    "test": "internal test",
    "external": "external test",
}
POINTS = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7)
RARE_POINTS = (0.05, 0.1, 0.15, 0.2, 0.25, 0.3)
LARGE = 20_000
STYLE = """body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1d252c;
background:#fff}table{border-collapse:collapse;margin:.7rem 0;font-size:13px;display:block;overflow-x:auto}
td,th{border:1px solid #dde2e6;padding:.25rem .5rem;text-align:left;vertical-align:top}th{background:#f1f4f6}
img{max-width:100%;height:auto}.mark{background:#fde9d9;color:#8a3d00;padding:.2rem .5rem;font-weight:600}
@media print{h2{break-before:page}}"""
METHOD = (
    "AUC with DeLong's interval (logit scale with fewer than 10 events), paired DeLong tests and McNemar's test, "
    "corrected by Holm over the models. Positive is a probability at or above the threshold. Proportions: Wilson. "
    "Calibration: intercept with the log-odds as offset, slope in another model, loess curve (span 0.75, degree 2), or "
    "where predictions clump or loess leaves 0 to 1 a restricted cubic spline (logistic, five knots, as in rms), ICI, "
    "E50, E90, Emax. Net benefit: Vickers and Elkin 2006, complete cases. Kaplan-Meier with log-log intervals, "
    "log-rank, Cox with Efron's ties. Net benefit for recurrence: risk by a Cox model of the probability, fitted on "
    "development patients (Vickers 2008). Early recurrence: cumulative/dynamic AUC at 6 months, weighted for "
    "censoring. Subgroups: unpaired DeLong test against the rest of the family, corrected by Holm. What can't be "
    "estimated is named with its reason."
)


def render_report(
    read: PredictionTable,
    threshold: ThresholdResult,
    *,
    title: str,
    simulated: bool,
    origin: Mapping[str, str],
) -> bytes:
    """Write flow, Table 1, every split's evaluation, methods and a TRIPOD+AI checklist.

    Parameters
    ----------
    read : PredictionTable
        Checked rows, and those refused.
    threshold : ThresholdResult
        Fixed beforehand, or chosen on the development splits.
    title : str
        The cohort as sentences call it: "the uploaded cohort".
    simulated : bool
        Whether its patients are made up; then every section says so.
    origin : mapping of str to str
        Where the report comes from: versions, hashes, time.

    Returns
    -------
    bytes
        HTML with its figures inside; it asks no server for anything and names no patient.
    """
    table = read.table
    cut = threshold.threshold
    mark = '<p class="mark">SIMULATED patients: these figures say nothing about real ones.</p>' if simulated else ""
    flow = count_flow(table, len(read.refused))
    body = [
        f"<h1>Evaluation of {html.escape(title)}</h1>",
        '<p class="mark">Research use only; no medical device.</p>',
        mark,
        _list_origin(origin),
        _write(describe_threshold(threshold)),
        "<h2>Flow and Table 1</h2>",
        _render_figure(plot_flow(flow), cohorts.describe_flow(flow, title)),
        _render_table(cohorts.tabulate_cohort_flow(flow)),
        *([_render_table(pd.DataFrame(read.refused, columns=["Row", "Reason"]))] if read.refused else []),
        _render_table(cohorts.tabulate_table_one(describe_patients(table, "split"))),
    ]
    if cut is not None:
        body.append(_render_table(cohorts.tabulate_table_one(describe_patients(table, "group", cut))))
    present = set(table["split"])
    parts = {split: table[table["split"] == split] for split in ORDER if split in present}
    results = {split: compute_split(part, threshold, development=split == FITTED_ON) for split, part in parts.items()}
    for split, result in results.items():
        body += [f"<h2>{NAMES[split].capitalize()}</h2>", mark]
        name = f"the {NAMES[split]} of {title}"
        body += _render_split(parts[split], result, name)
        body += _render_survival(table, parts[split], result, name)
        body += _render_nodes(parts[split], result, name)
    checklist = tabulate_checklist(results.values())
    body += ["<h2>Methods</h2>", _write(METHOD), "<h2>TRIPOD+AI</h2>", _render_table(checklist)]
    head = '<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>SonoKi evaluation</title>'
    page = "\n".join(body)
    return (
        f'<!doctype html><html lang="en"><head>{head}<style>{STYLE}</style></head><body>{page}</body></html>'.encode()
    )


def _render_split(part: pd.DataFrame, result: SplitEvaluation, name: str) -> Iterator[str]:
    main = label_model(MAIN)
    rocs = compute_rocs(part)
    others = {label: roc for label, roc in rocs.items() if label != main}
    yield "<h3>Discrimination</h3>"
    yield _render_figure(
        plot_roc(result.roc, name=main, others=others, operating_point=result.confusion),
        describe_roc(result.roc, cohort=name, operating_point=result.confusion),
    )
    if result.confusion is not None:
        yield _render_table(tables.tabulate_matrix(result.confusion))
        yield _render_table(tables.tabulate_confusion(result.confusion))
    named = {label_model(comparison.model): comparison for comparison in result.comparisons}
    yield _render_table(tables.tabulate_models(rocs, named, main))
    yield _write(describe_lower_auc(result.comparisons, cohort=name))
    if len(part) <= LARGE:
        subgroups = compute_cohort_subgroups(part)
        yield _render_figure(plot_forest(subgroups), describe_forest(subgroups, cohort=name))
        yield _render_table(tables.tabulate_subgroups(subgroups))
    else:
        yield _write(f"Subgroups are left out of the report above {LARGE:,} patients.")
    yield "<h3>Calibration</h3>"
    yield _render_figure(plot_calibration(result.calibration), describe_calibration(result.calibration, cohort=name))
    yield _render_table(tables.tabulate_calibration(result.calibration))
    yield "<h3>Decision curve</h3>"
    benefit = compute_labelled_net_benefit(part)
    cut = result.threshold.threshold
    yield _render_figure(plot_decision_curve(benefit, threshold=cut), describe_decision_curve(benefit, cohort=name))
    yield _write(describe_lower_benefit(benefit, KI67_RANGE, cohort=name))
    yield _render_table(tables.tabulate_net_benefit(benefit, POINTS))


def _render_survival(table: pd.DataFrame, part: pd.DataFrame, result: SplitEvaluation, name: str) -> Iterator[str]:
    survival = result.survival
    yield "<h3>Recurrence-free survival</h3>"
    if survival is None:
        yield _write(result.reasons["survival"])
    else:
        curves, models = survival.curves, survival.models
        meier = curves.kaplan_meier
        yield _render_figure(plot_kaplan_meier(meier), describe_kaplan_meier(meier, curves.logrank, cohort=name))
        tests = (curves.logrank_by_centre, curves.follow_up, models.concordance)
        yield _write(cohorts.describe_survival_tests(*tests))
        yield _render_table(cohorts.tabulate_medians(meier, curves.rmst))
        yield _render_table(cohorts.tabulate_cox(models.named))
        yield _write(cohorts.describe_cox_power(models.named))
        yield _write(describe_hazards(models, curves))
    if result.early_recurrence is not None:
        yield _write(cohorts.describe_early(result.early_recurrence, name))
    if {"rfs_months", "rfs_event"} <= set(part.dropna(axis=1, how="all")):
        yield "<h4>Decision curve for recurrence</h4>"
        risk = fit_recurrence_risk(table, list_horizons(part)[1])
        benefit = compute_recurrence_net_benefit(part, risk)
        limits = None if benefit is None else find_range(benefit)
        yield _write(cohorts.describe_risk(risk, limits))
        if benefit is not None and limits is not None:
            yield from _render_rare(benefit, limits, tables.pick_thresholds(benefit), name)


def _render_nodes(part: pd.DataFrame, result: SplitEvaluation, name: str) -> Iterator[str]:
    nodes = result.lymph_nodes
    yield "<h3>Lymph nodes</h3>"
    if nodes is None:
        yield _write(result.reasons["lymph_nodes"])
    else:
        yield _render_figure(plot_lymph_nodes(nodes), describe_lymph_nodes(nodes, cohort=name))
        yield _render_table(cohorts.tabulate_node_predictors(nodes))
        yield _write(nodes.note)
    benefit = compute_node_net_benefit(part) if "lnm" in part else None
    if benefit is not None:
        yield "<h4>Decision curve for node metastasis</h4>"
        yield from _render_rare(benefit, NODE_RANGE, RARE_POINTS, name)


def _render_rare(
    benefit: DecisionCurveResult, limits: tuple[float, float], points: Sequence[float], name: str
) -> Iterator[str]:
    text = describe_decision_curve(benefit, cohort=name, limits=limits)
    yield _render_figure(plot_decision_curve(benefit, limits=limits), text)
    yield _render_table(tables.tabulate_net_benefit(benefit, points))


def _list_origin(origin: Mapping[str, Any]) -> str:
    rows = [[name, str(value)] for name, value in origin.items()]
    return _render_table(pd.DataFrame(rows, columns=["Origin", "Value"]))


def _render_figure(figure: go.Figure, sentence: str) -> str:
    picture = base64.b64encode(render_svg(figure)).decode("ascii")
    text = html.escape(sentence)
    return f'<img alt="{text}" src="data:image/svg+xml;base64,{picture}">{_write(sentence)}'


def _render_table(table: pd.DataFrame) -> str:
    return table.to_html(index=False, border=0, na_rep="")


def _write(text: str) -> str:
    return f"<p>{html.escape(text)}</p>" if text else ""

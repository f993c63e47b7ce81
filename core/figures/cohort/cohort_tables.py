"""The cohort, its end points and their models as tables to read."""

from collections.abc import Hashable, Mapping
from typing import Any

import pandas as pd

from core.evaluation import (
    ConcordanceResult,
    CoxResult,
    FlowResult,
    FollowUpResult,
    KaplanMeierResult,
    LogRankResult,
    LymphNodeResult,
    RmstResult,
    RocComparison,
    TableOneResult,
    TimeAucResult,
)
from core.evaluation.cohort.labels import label_variable
from core.evaluation.cohort.net_benefit import RecurrenceRisk
from core.evaluation.cohort.survival import explain_rmst
from core.evaluation.estimate import NOT_ESTIMABLE, write_estimate, write_number, write_p
from core.figures.wording import word_count, write_threshold

NO_YES = {"0": "no", "1": "yes"}
EVENTS_A_TERM = 10


def tabulate_table_one(result: TableOneResult) -> pd.DataFrame:
    """Lay out Table 1: a number as median and quartiles, a choice as counts and per cent of those known.

    Parameters
    ----------
    result : TableOneResult
        Characteristics by group.

    Returns
    -------
    DataFrame
        A row a variable or level, a column a group, missing counts, the largest standardised difference.
    """
    gaps = dict(zip(result.differences["variable"], result.differences["smd"], strict=True))
    sizes = {group: f"{group.capitalize()}, n = {n:,}" for group, n in result.sizes.items()}
    rows: list[dict[str, str]] = []
    for (variable, level), part in result.table.groupby(["variable", "level"], sort=False):
        first = not rows or rows[-1]["_variable"] != variable
        binary = set(result.table.loc[result.table["variable"] == variable, "level"]) == set(NO_YES)
        if binary and level == "0":
            continue
        label = label_variable(str(variable))
        row = {"_variable": str(variable), "Characteristic": label if not level or binary else f"{label}: {level}"}
        cells = {sizes[cell["group"]]: _write_cell(cell) for cell in part.to_dict("records")}
        missing = {cell["group"]: cell["missing"] for cell in part.to_dict("records")}
        row |= {name: cells.get(name, "") for name in sizes.values()}
        row["Missing"] = _write_missing(missing) if first else ""
        row["Std. difference"] = write_number(gaps[variable], digits=2) if first else ""
        rows.append(row)
    columns = ["Characteristic", *sizes.values(), "Missing", "Std. difference"]
    return pd.DataFrame(rows, columns=columns)


def tabulate_cohort_flow(flow: FlowResult) -> pd.DataFrame:
    """List the flow of patients, from the rows read to each analysis."""
    rows = [
        [
            row["split"].capitalize(),
            row["centres"],
            *(f"{row[name]:,}" for name in ("n", "with_outcome", "events", "with_nodes", "with_follow_up")),
            f"{row['recurrences']:,}",
        ]
        for row in flow.table.to_dict("records")
    ]
    names = ["Split", "Centres", "Patients", "Ki-67 known", "Ki-67 high", "Nodes known", "Followed", "Recurrences"]
    return pd.DataFrame(rows, columns=names)


def describe_flow(flow: FlowResult, cohort: str) -> str:
    """Say how many rows were read, refused and kept."""
    kept = flow.read - flow.refused
    return f"Of {flow.read:,} rows of {cohort}, {flow.refused:,} were refused and {kept:,} patients are evaluated."


def tabulate_medians(curves: KaplanMeierResult, rmst: RmstResult) -> pd.DataFrame:
    """List patients, events, median and restricted mean by group."""
    means = rmst.table.set_index("group")
    rows = []
    for row in curves.medians.to_dict("records"):
        mean = means.loc[row["group"]] if row["group"] in means.index else None
        median = "not reached" if pd.isna(row["median"]) else write_number(row["median"], 1)
        restricted = NOT_ESTIMABLE
        if mean is not None:
            limits = (mean["ci_low"], mean["ci_high"])
            restricted = write_estimate(mean["rmst"], limits, explain_rmst(mean.to_dict()), digits=1, level=None)
        rows.append([str(row["group"]).capitalize(), f"{row['n']:,}", f"{row['events']:,}", median, restricted])
    tau = f"{rmst.table['tau'].iloc[0]:g}" if len(rmst.table) else "?"
    return pd.DataFrame(rows, columns=["Group", "n", "Events", "Median, months", f"Mean up to {tau} months (95 % CI)"])


def describe_survival_tests(
    by_centre: LogRankResult | None, follow_up: FollowUpResult, concordance: ConcordanceResult | None = None
) -> str:
    """Say what the further tests of survival give."""
    parts = []
    if by_centre is not None:
        parts.append(f"Stratified by centre: log-rank {write_p(by_centre.p)}.")
    reason = follow_up.reason or "a limit is not reached"
    median = write_estimate(follow_up.median, follow_up.ci, reason, digits=1)
    parts.append(f"Median follow-up (reverse Kaplan-Meier), months: {median}.")
    if concordance is not None:
        index = write_estimate(concordance.c, concordance.ci, concordance.reason)
        parts.append(f"C index of the probability {index}.")
    return " ".join(part.replace("..", ".") for part in parts)


def tabulate_cox(models: Mapping[str, CoxResult | None]) -> pd.DataFrame:
    """List the hazard ratios of Cox models, with the test of proportional hazards.

    Parameters
    ----------
    models : mapping of str to CoxResult or None
        Name to model.

    Returns
    -------
    DataFrame
        A row a term.
    """
    rows = []
    for name, cox in ((name, cox) for name, cox in models.items() if cox is not None):
        for term, row in cox.table.iterrows():
            ratio = write_estimate(row["hr"], (row["ci_low"], row["ci_high"]), cox.reason, digits=2, level=None)
            tests = [write_p(row["p"]), write_p(cox.proportional_hazards["p"].get(term))]
            rows.append([name, f"{cox.n:,}", f"{cox.events:,}", label_variable(str(term)), ratio, *tests])
    names = ["Model", "n", "Events", "Term", "Hazard ratio (95 % CI)", "p", "Proportional hazards"]
    return pd.DataFrame(rows, columns=names)


def describe_cox_power(models: Mapping[str, CoxResult | None]) -> str:
    """Say which Cox models have too few events for their terms; empty if none has.

    Parameters
    ----------
    models : mapping of str to CoxResult or None
        Name to model.

    Returns
    -------
    str
        One sentence a model with fewer than 10 events a term (Peduzzi et al., J Clin Epidemiol 1995;48:1503-1510).
    """
    weak = {
        name: cox
        for name, cox in models.items()
        if cox is not None and cox.reason is None and cox.events < EVENTS_A_TERM * len(cox.table)
    }
    return " ".join(
        f"{name}: {word_count(cox.events, 'event')} for {word_count(len(cox.table), 'term')}, fewer than "
        f"{EVENTS_A_TERM} a term; read its hazard ratios as unstable."
        for name, cox in weak.items()
    )


def describe_early(result: TimeAucResult, cohort: str) -> str:
    """Say how well the probability tells early recurrence.

    Parameters
    ----------
    result : TimeAucResult
        At the horizon.
    cohort : str
        Name of the patients.

    Returns
    -------
    str
        Estimate with interval, events and what to bear in mind.
    """
    events = f"{result.events} recurrences by {result.horizon:g} months, {result.at_risk:,} patients followed beyond"
    auc = write_estimate(result.auc, result.ci, result.reason)
    text = f"In {cohort} the time-dependent AUC at {result.horizon:g} months was {auc}"
    return f"{text}; n = {result.n:,}, {events}." + (f" {result.reason}" if result.reason and result.ci else "")


def describe_risk(risk: RecurrenceRisk, limits: tuple[float, float] | None = None) -> str:
    """Say where the risk of recurrence and the range of thresholds come from, or why there is no risk."""
    fitted = f"{risk.fitted_on} (n = {risk.n:,}, {word_count(risk.events, 'recurrence')})"
    if risk.coef is None:
        return f"No risk of recurrence could be fitted on {fitted}: {risk.reason}"
    text = (
        f"Risk of recurrence within {risk.horizon:g} months by a Cox model on the probability of high Ki-67, fitted on "
        f"{fitted}."
    )
    if risk.exploratory:
        text += " Evaluated on the same patients it is exploratory and optimistic."
    if limits is None:
        return text
    low, high = map(write_threshold, limits)
    return f"{text} Thresholds from {low} to {high}: the range of the middle 95 % of these patients' predicted risks."


def tabulate_node_rates(result: LymphNodeResult) -> pd.DataFrame:
    """List node metastasis by predicted group."""
    rows = [
        [
            row["group"].capitalize(),
            f"{row['n']:,}",
            f"{row['events']:,}",
            write_estimate(row["rate"], (row["ci_low"], row["ci_high"]), "nobody is in it", percent=True),
        ]
        for row in result.rates.to_dict("records")
    ]
    return pd.DataFrame(rows, columns=["Predicted Ki-67", "n", "With metastasis", "Rate"])


def tabulate_node_predictors(result: LymphNodeResult) -> pd.DataFrame:
    """Set what predicts node metastasis side by side."""
    scores = {
        "Ki-67 probability": (result.ki67_probability, "ki67"),
        "Node model, with axillary ultrasound": (result.head, ""),
        "Node model, without axillary ultrasound": (result.head_without_aln, "head_without_aln"),
    }
    rows = []
    for label, (roc, key) in scores.items():
        if roc is not None:
            difference = _write_difference(result.comparisons.get(key))
            rows.append(
                [
                    label,
                    f"{roc.n:,}",
                    write_estimate(roc.auc, roc.auc_ci, roc.reason, level=None),
                    "",
                    "",
                    "",
                    difference,
                ]
            )
    for label, confusion, key in (
        ("Predicted Ki-67 group", result.group_classifier, ""),
        ("Axillary ultrasound", result.ultrasound, "ultrasound"),
    ):
        if confusion is not None:
            cells = [_write_share(confusion.metrics, name) for name in ("sensitivity", "specificity", "accuracy")]
            rows.append([label, f"{confusion.n:,}", "", *cells, _write_difference(result.comparisons.get(key))])
    names = ["Predictor", "n", "AUC (95 % CI)", "Sensitivity", "Specificity", "Accuracy", "Node model minus it (AUC)"]
    return pd.DataFrame(rows, columns=names)


def _write_cell(cell: Mapping[Hashable, Any]) -> str:
    if not cell["level"]:
        return (
            NOT_ESTIMABLE if pd.isna(cell["median"]) else f"{cell['median']:.1f} ({cell['q1']:.1f} to {cell['q3']:.1f})"
        )
    return NOT_ESTIMABLE if pd.isna(cell["percent"]) else f"{cell['count']:,} ({cell['percent']:.1f} %)"


def _write_missing(missing: Mapping[str, int]) -> str:
    if not any(missing.values()):
        return "0"
    return ", ".join(f"{group} {count:,}" for group, count in missing.items() if count)


def _write_share(metrics: pd.DataFrame, name: str) -> str:
    row = metrics.to_dict("index")[name]
    return write_estimate(row["value"], (row["ci_low"], row["ci_high"]), row["reason"], level=None)


def _write_difference(comparison: RocComparison | None) -> str:
    if comparison is None:
        return ""
    difference = write_estimate(comparison.difference, comparison.ci, comparison.reason, level=None)
    return f"{difference}, {write_p(comparison.p)}"

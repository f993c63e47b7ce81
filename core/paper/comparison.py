"""Two bundles or two cohorts side by side: paired where the patients are the same, unpaired where not."""

from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd

from core.evaluation import (
    compute_decision_curve,
    compute_net_benefit_difference,
    compute_roc,
)
from core.evaluation.cohort.net_benefit import GRID
from core.evaluation.cohort.split import DEVELOPMENT
from core.evaluation.discrimination.roc_comparison import RocComparison, compare_roc, compare_roc_unpaired
from core.evaluation.estimate import write_estimate, write_number, write_p
from core.figures.cohort.decision_curve import KI67_RANGE, DecisionCurveExhibit, GainExhibit
from core.figures.cohort.evaluate import evaluate_patients, list_splits
from core.figures.cohort.roc import RocExhibit
from core.figures.evidence import tabulate_metrics
from core.paper.content import Figure, Section, Table
from core.paper.study import FEW, SIMULATED, Cohort

THRESHOLDS = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7)
SAME = ("y", "ki67_pct", "centre", "age")


@dataclass(frozen=True, eq=False)
class Shared:
    """Held-out patients that stand in both cohorts."""

    table: pd.DataFrame  # ``patient_id, y, prob_a, prob_b``, one row per patient
    # n_a, n_b: held-out patients with a known outcome of each
    n_a: int
    n_b: int
    differing: int  # pseudonyms that stand in both with other values: taken for different patients


def write_comparison(first: Cohort, second: Cohort) -> Section:
    """Set two cohorts side by side, with tests of the difference on patients that neither model was fitted on."""
    names = name_both(first, second)
    mark = SIMULATED * (first.is_simulated or second.is_simulated) + FEW * (first.is_few or second.is_few)
    tables = [Table("side_by_side", f"{names[0]} and {names[1]} side by side. {mark}", _tabulate(first, second, names))]
    title = f"{names[0]} beside {names[1]}"
    if first.read.cutoff != second.read.cutoff:
        untested = (
            f"No test: {names[0]} calls Ki-67 high at {first.read.cutoff.words}, {names[1]} at "
            f"{second.read.cutoff.words}; their figures are of different outcomes."
        )
        return Section("comparison", title, (untested,), tables=tuple(tables))
    shared = find_shared(first.table, second.table)
    if shared.table.empty:
        words, table = _compare_unpaired(first, second, names, shared)
        return Section("comparison", title, words, tables=(*tables, table, _tabulate_benefits(first, second, names)))
    words, table = _compare_paired(shared, names)
    tables += [table, _tabulate_gain(shared.table, names)]
    return Section("comparison", title, words, (), tuple(_draw(shared.table, names, mark)), tuple(tables))


def name_both(first: Cohort, second: Cohort) -> tuple[str, str]:
    """Give two names that differ."""
    a, b = first.name, second.name
    return (a, b) if a != b else (f"{a} (first)", f"{b} (second)")


def find_shared(first: pd.DataFrame, second: pd.DataFrame) -> Shared:
    """Find the held-out patients of both tables: the same pseudonym and the same values where both know them."""
    a, b = _hold_out(first), _hold_out(second)
    both = a.merge(b, on="patient_id", suffixes=("_a", "_b"))
    same = pd.Series(True, index=both.index)
    for name in SAME:
        if name in a and name in b:
            left, right = both[f"{name}_a"], both[f"{name}_b"]
            same &= (left == right) | left.isna() | right.isna()
    table = both[same].rename(columns={"y_a": "y"})[["patient_id", "y", "prob_a", "prob_b"]]
    return Shared(table.reset_index(drop=True), len(a), len(b), int((~same).sum()))


def _hold_out(table: pd.DataFrame) -> pd.DataFrame:
    return table[~table["split"].isin(DEVELOPMENT) & table["y"].notna() & table["prob"].notna()]


def _tabulate(first: Cohort, second: Cohort, names: tuple[str, str]) -> pd.DataFrame:
    """Set the figures of every held-out split of both side by side."""
    columns = {
        f"{name}: {split}": evaluate_patients(patients, extras="none")
        for name, cohort in zip(names, (first, second), strict=True)
        for split, patients in list_splits(cohort.table, cohort.threshold, cohort.title)
        if split not in DEVELOPMENT
    }
    return tabulate_metrics(columns)


def _compare_paired(shared: Shared, names: tuple[str, str]) -> tuple[tuple[str, ...], Table]:
    table = shared.table
    test = compare_roc(table["y"], table["prob_a"], table["prob_b"])
    others = shared.n_a + shared.n_b - 2 * len(table)
    words = (
        f"{names[0]} and {names[1]} were compared on the {len(table):,} held-out patients that stand in both (same "
        f"pseudonym, outcome and values), {int(table['y'].sum()):,} with high Ki-67: paired DeLong test; difference in "
        "net benefit with a bootstrap band of patients. By their splits neither model was fitted on them.",
        *([f"{others:,} held-out patients that stand in one alone were left out of the test."] if others else []),
        *_describe_differing(shared),
        *([test.reason] if test.reason else []),
    )
    return words, _tabulate_test(test, names, "Paired DeLong test")


def _compare_unpaired(
    first: Cohort, second: Cohort, names: tuple[str, str], shared: Shared
) -> tuple[tuple[str, ...], Table]:
    a, b = _hold_out(first.table), _hold_out(second.table)
    test = compare_roc_unpaired(a["y"], a["prob"], b["y"], b["prob"])
    words = (
        f"No held-out patient stands in both: {names[0]} has {len(a):,} ({int(a['y'].sum()):,} with high Ki-67), "
        f"{names[1]} {len(b):,} ({int(b['y'].sum()):,}). The comparison is unpaired: a difference may come from the "
        "patients as well as from the models; net benefit stands side by side, without a difference.",
        *_describe_differing(shared),
        *([test.reason] if test.reason else []),
    )
    return words, _tabulate_test(test, names, "Unpaired DeLong test (Welch)")


def _tabulate_gain(table: pd.DataFrame, names: tuple[str, str]) -> Table:
    """Give net benefit of both on the same patients, and its difference with a bootstrap interval."""
    benefits = [_compute_benefit(table["y"], table[column]) for column in ("prob_a", "prob_b")]
    gain = compute_net_benefit_difference(table["y"], table["prob_a"], table["prob_b"], THRESHOLDS)
    shown: dict[str, object] = {"Threshold": [f"{threshold:.2f}" for threshold in THRESHOLDS]}
    shown["Treat all"] = benefits[0]["all"].map(write_number)
    shown |= {name: benefit["model"].map(write_number) for name, benefit in zip(names, benefits, strict=True)}
    shown["Difference (95 % CI)"] = [
        write_estimate(value, (low, high), level=None)
        for value, low, high in gain.table[["difference", "ci_low", "ci_high"]].to_numpy().tolist()
    ]
    caption = f"Net benefit of {names[0]} and {names[1]} on the held-out patients of both, n = {gain.n:,}."
    return Table("net_benefit", caption, pd.DataFrame(shown))


def _tabulate_benefits(first: Cohort, second: Cohort, names: tuple[str, str]) -> Table:
    """Give net benefit of each on its own held-out patients, beside treating all of them."""
    shown: dict[str, object] = {"Threshold": [f"{threshold:.2f}" for threshold in THRESHOLDS]}
    for name, cohort in zip(names, (first, second), strict=True):
        held = _hold_out(cohort.table)
        benefit = _compute_benefit(held["y"], held["prob"])
        shown[f"{name}, n = {len(held):,}"] = benefit["model"].map(write_number)
        shown[f"Treat all of {name}"] = benefit["all"].map(write_number)
    caption = f"Net benefit of {names[0]} and of {names[1]}, each on its own held-out patients; treating none is 0."
    return Table("net_benefit", caption, pd.DataFrame(shown))


def _compute_benefit(y: "pd.Series[float]", prob: "pd.Series[float]") -> pd.DataFrame:
    """Give net benefit by threshold, a column for the model and one for treating all."""
    result = compute_decision_curve(y, {"model": prob}, THRESHOLDS)
    wide = result.table.pivot(index="threshold", columns="model", values="net_benefit")
    return wide.reset_index()


def _describe_differing(shared: Shared) -> list[str]:
    if not shared.differing:
        return []
    return [f"{shared.differing:,} pseudonyms stand in both with other values and were taken for different patients."]


def _tabulate_test(test: RocComparison, names: tuple[str, str], label: str) -> Table:
    row = {
        f"AUC of {names[0]}": write_number(test.auc_a),
        f"AUC of {names[1]}": write_number(test.auc_b),
        "Difference (95 % CI)": write_estimate(test.difference, test.ci, test.reason, level=None),
        label: write_p(test.p),
    }
    return Table("auc_difference", f"{label} of {names[0]} against {names[1]}.", pd.DataFrame([row]))


def _draw(table: pd.DataFrame, names: tuple[str, str], mark: str) -> Iterator[Figure]:
    """Draw ROC curves, decision curves and the difference in net benefit of both on the same patients."""
    where = "the held-out patients of both"
    note = f"{mark}Held-out patients of both, n = {len(table):,}."
    y, probs = table["y"], dict(zip(names, (table["prob_a"], table["prob_b"]), strict=True))
    low, high = KI67_RANGE
    grid = GRID[(low - 1e-9 <= GRID) & (high + 1e-9 >= GRID)]
    roc = RocExhibit(where, {name: compute_roc(y, prob) for name, prob in probs.items()})
    curve = DecisionCurveExhibit(where, compute_decision_curve(y, probs, GRID), KI67_RANGE)
    difference = compute_net_benefit_difference(y, table["prob_a"], table["prob_b"], grid)
    gain = GainExhibit(where, difference, names[1])
    minus = f"Net benefit of {names[0]} minus that of {names[1]}"
    captions = (
        f"ROC curves. {names[0]}, with its band: {roc.sentence()}",
        f"Decision curves. {curve.sentence()}",
        f"{minus}, with the 95 % band of {gain.result.n_boot:,} bootstrap samples.",
    )
    for exhibit, caption in zip((roc, curve, gain), captions, strict=True):
        words = f"{caption} {note}"
        yield Figure(f"comparison_{exhibit.name}", exhibit.figure(), note, words, exhibit.data())

"""Parts of the model card: coefficients, calibration, the indeterminate range, internal validation, coverage."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from core.clinical import BY_NAME
from core.evaluation.estimate import write_estimate
from core.inference.prediction import INTERVAL
from models.fusion import FusionHead
from models.manifest import BetweenViews

COVERAGE = Path(__file__).with_name("coverage.csv")


def describe_model(manifest: Mapping[str, Any], cross_fitting: str | None) -> str:
    """Say what the model is made of, and over what its image score was cross-fitted."""
    fields = ", ".join(BY_NAME[name].label for name in manifest["predictors"])
    crossed = f", cross-fitted over {cross_fitting}" if cross_fitting else ""
    return (
        f"Frozen backbone ({manifest['backbone']['architecture']}); image score by ridge regression of ln Ki-67 on its "
        f"pooled features{crossed}. The score is joined with these values by logistic regression: {fields}. Its ridge "
        "penalty is the one with the least deviance on left-out centres."
    )


def describe_coefficients(head: FusionHead, manifest: Mapping[str, Any]) -> Iterator[str]:
    """Write the coefficients with their intervals, beside those without a penalty."""
    names = ["intercept", "image score", *(BY_NAME[term.field].label for term in head.terms)]
    values = np.array([head.intercept, head.image_coef, *head.coefs])
    low, high = np.percentile(head.bootstrap, INTERVAL, axis=0)
    yield (
        f"Log-odds; 95 % interval of {len(head.bootstrap)} refits of the whole fit. "
        f"Penalty of the fusion {manifest['penalties']['m1']:g}.\n"
    )
    yield "| term | coefficient (95 % interval) | without penalty |\n| --- | --- | --- |"
    for row in zip(names, values, low, high, manifest["unpenalised"], strict=True):
        yield "| {} | {:+.2f} ({:+.2f} to {:+.2f}) | {:+.2f} |".format(*row)
    yield "\n"


def describe_calibration(metrics: Mapping[str, Any]) -> Iterator[str]:
    """Write the calibration of each split."""
    yield "| split | calibration intercept | slope (95 % CI) | integrated calibration index (ICI) |"
    yield "| --- | --- | --- | --- |"
    for name, part in metrics.items():
        figures = part.get("calibration") or {}
        slope, intercept = figures.get("slope") or {}, figures.get("intercept") or {}
        interval = "-".join(f"{value:.2f}" for value in slope["ci"]) if slope.get("ci") else "no interval"
        cells = [
            _round(intercept.get("est")),
            f"{_round(slope.get('est'))} ({interval})",
            _round(figures.get("ici"), 3),
        ]
        yield f"| {name} | {' | '.join(cells)} |"
    yield "\n"


def describe_no_call(splits: Mapping[str, Any]) -> Iterator[str]:
    """Write how many fall into the indeterminate range, and how often the call is right inside and outside."""
    yield "Accuracy of the call inside and outside the indeterminate range (95 % interval, Wilson):\n"
    yield "| split | inside: n | accuracy | outside: n | accuracy |\n| --- | --- | --- | --- | --- |"
    for name, places in splits.items():
        cells = [
            f"{place['n']} ({100 * place['share']:.0f} %) | "
            f"{_round(place['accuracy'])} ({_round(place['ci_low'])}-{_round(place['ci_high'])})"
            for place in (places["inside"], places["outside"])
        ]
        yield f"| {name} | {' | '.join(cells)} |"
    yield "\n"


def describe_by_box(rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Write the AUC by whose lesion box the images have."""
    if rows:
        yield "| split | lesion box | n | events | AUC (95 % CI) |\n| --- | --- | --- | --- | --- |"
    for row in rows:
        auc = write_estimate(row["auc"], row["auc_ci"], row["reason"], level=None)
        yield f"| {row['split']} | {row['box']} | {row['n']} | {row['events']} | {auc} |"
    if rows:
        yield "\n"


def describe_gate(gate: Mapping[str, Any]) -> str:
    """Write what the applicability rule says of the manifest's own images, and how far its limits moved by them."""
    moved = gate["refuse"] - gate["refuse_backbone"]
    return (
        f"Images accepted or refused: of {gate['n']} images of the manifest that could be read, the rule for what is "
        f"not ultrasound passes {gate['passed']}, passes {gate['cautioned']} with a caution and refuses "
        f"{gate['refused']}. Its limit (log-odds {gate['refuse']:.2f}) moved by {moved:.2f} from the backbone's: no "
        "image of a manifest can open it. An image is called unlike the training images beyond a distance of "
        f"{gate['unlike']:.2f} (root mean square of the standardised features; the backbone's own: "
        f"{gate['unlike_backbone']:.2f}).\n"
    )


def describe_between_views(manifest: Mapping[str, Any]) -> str:
    """Write how far two views of a patient differ, where it was measured."""
    if not manifest.get("between_views"):
        return ""
    between = BetweenViews.from_json(manifest["between_views"])
    half, most = (between.quantiles[step] for step in (50, 90))
    return (
        f"Two views of one patient: their image scores differ by {half:.2f} or more in half of {between.source}, by "
        f"more than {most:.2f} in a tenth of them.\n"
    )


def describe_internal(internal: Mapping[str, Any]) -> Iterator[str]:
    """Write optimism, learning curve and sample size."""
    optimism, size = internal["optimism"], internal["sample_size"]
    yield (
        f"Optimism on the {optimism['n']} training patients, the whole fit repeated in {optimism['n_refits']} refits: "
        + "; ".join(
            f"{label} {optimism[key]['apparent']:.3f}, corrected {optimism[key]['corrected']:.3f}"
            for key, label in (("auc", "AUC"), ("slope", "calibration slope"))
        )
        + ".\n"
    )
    if internal["learning_curve"]:
        yield "Learning curve, tested on the validation and test splits (mean and standard deviation over draws):\n"
        yield "| training patients | draws | AUC | calibration slope |\n| --- | --- | --- | --- |"
        for row in internal["learning_curve"]:
            yield (
                f"| {row['n_train']} | {row['draws']} | {row['auc']:.3f} ({row['auc_sd']:.3f}) | "
                f"{row['slope']:.2f} ({row['slope_sd']:.2f}) |"
            )
        yield "\n"
    if size:
        yield (
            f"Sample size by Riley et al. (BMJ 2020), the image score counted as one coefficient: {size['needed']} "
            f"patients (shrinkage of 0.9: {size['shrinkage']}; optimism in R squared: {size['optimism']}; intercept: "
            f"{size['intercept']}). The weights of the image score are not counted.\n"
        )


def describe_stability(internal: Mapping[str, Any]) -> Iterator[str]:
    """Write the figures at left-out centres, the instability and the size of a validation."""
    left = internal["left_out_centres"]
    if left["centres"]:
        yield "Each centre of the training patients left out, the whole fit made on the others (95 % interval):\n"
        yield "| left out | n | events | AUC | calibration slope |\n| --- | --- | --- | --- | --- |"
        for row in left["centres"]:
            cells = (f"{_round(row[key])} ({_range(row[f'{key}_ci'])})" for key in ("auc", "slope"))
            yield f"| {row['centre']} | {row['n']} | {row['events']} | {' | '.join(cells)} |"
        yield "\n"
        for key, label in (("auc", "AUC"), ("slope", "Calibration slope")):
            if pooled := left["pooled"][key]:
                yield (
                    f"{label} pooled with random effects: {pooled['estimate']:.2f} ({_range(pooled['ci'])}); "
                    f"expected at a new centre: {_range(pooled['prediction'])}.\n"
                )
    unstable = internal["instability"]
    yield (
        f"Instability: over {unstable['n_refits']} refits a training patient's probability differs from the model's by "
        f"{unstable['error']:.3f} on average (mean absolute prediction error; Riley and Collins 2023).\n"
    )
    if size := internal["validation_size"]:
        yield (
            f"Sample size of a validation by Riley et al. (2021): {size['needed']} patients. For a 95 % interval of "
            f"observed over expected 0.2 wide: {size['ratio']}; of the calibration slope 0.2 wide: {size['slope']}; of "
            f"the AUC 0.1 wide: {size['auc']}.\n"
        )


def describe_coverage(n_refits: int) -> Iterator[str]:
    """Write how often the interval holds the true probability in simulated cohorts."""
    table = pd.read_csv(COVERAGE)
    missing = sorted(table["missing"].unique())
    yield (
        f"Interval of a probability: percentiles of {n_refits} refits of the whole fit. How often it holds the true "
        "probability of a patient of whom every value is known, by simulation (`python -m core coverage`), where the "
        "model is right in form; by the number of values that are not known:\n"
    )
    yield f"| training patients | tested at | {' | '.join(f'{count} not known' for count in missing)} |"
    yield f"| --- | --- |{' --- |' * len(missing)}"
    for (n_train, place), part in table.groupby(["n_train", "place"], sort=False):
        by_count = part.set_index("missing")
        cells = (f"{by_count.loc[m, 'coverage']:.3f} (width {by_count.loc[m, 'width']:.2f})" for m in missing)
        yield f"| {n_train} | {place} | {' | '.join(cells)} |"
    known = table[table["missing"] == 0]
    near = (f"{row.near_threshold:.3f} ({row.n_train}, {row.place})" for row in known.itertuples())
    yield f"\nOf estimates between 30 and 70 %, every value known: {', '.join(near)}.\n"


def _range(interval: Sequence[float] | None) -> str:
    return "no interval" if interval is None else f"{interval[0]:.2f} to {interval[1]:.2f}"


def _round(value: float | None, digits: int = 2) -> str:
    return "not estimable" if value is None or np.isnan(value) else f"{value:.{digits}f}"

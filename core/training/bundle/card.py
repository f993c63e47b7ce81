"""The model card of a bundle, written from its manifest, flow and metrics."""

from collections.abc import Mapping, Sequence
from typing import Any

from core.cohort.scoring.score import describe_boxes
from core.evaluation.estimate import write_estimate, write_number
from core.inference.render import FEW_USE
from core.training.bundle.card_parts import (
    describe_between_views,
    describe_by_box,
    describe_calibration,
    describe_coefficients,
    describe_coverage,
    describe_gate,
    describe_internal,
    describe_model,
    describe_no_call,
    describe_stability,
)
from core.training.bundle.reporting import describe_reporting
from models.cutoff import Cutoff
from models.fusion import FusionHead
from models.manifest import name_threshold_rule

SIMULATED = (
    "**Simulated.** The patients, images, Ki-67 values and outcomes that this bundle was trained and tested on are "
    "simulated. Its figures show that the method runs, not how it performs on patients. That the external AUC, its "
    "gain over the clinical values and the rates of node metastasis and recurrence come near those of Yu et al. was a "
    "target of the simulation, not a finding.\n\n"
)
LIMITS = (
    "No claim to replace biopsy or sentinel node, to select chemotherapy or to predict one patient's recurrence. "
    "Not for images other than B-mode breast ultrasound with one lesion in the box. BI-RADS 6 is refused."
)


def write_card(
    manifest: Mapping[str, Any],
    flow: Mapping[str, Any],
    metrics: Mapping[str, Any],
    internal: Mapping[str, Any],
    head: FusionHead,
    notes: Sequence[str],
) -> str:
    """Write the card in Markdown."""
    data, cutoff = manifest["training_data"], Cutoff.from_json(manifest["cutoff"])
    threshold, no_call = manifest["threshold"], manifest["no_call"]
    lines = [
        f"# {manifest['name']}\n",
        SIMULATED if data["simulated"] else "",
        f"**{FEW_USE}**\n" if data.get("few") else "",
        "From a breast ultrasound image and what is known before biopsy, estimates before surgery the probability "
        f"that Ki-67 is high ({cutoff.words}). For research use only.\n",
        "## Training data\n",
        f"{data['description']} {data['n_patients']} patients; centres {', '.join(data['centres'])}; "
        f"external: {', '.join(data['external_centre']) or 'none'}. Sha256 of the data `{data['sha256']}`.\n",
        "| split | patients | high Ki-67 | centres |\n| --- | --- | --- | --- |",
        *(
            f"| {name} | {part['n']} | {part['events']} | {', '.join(part['centres'])} |"
            for name, part in flow["splits"].items()
        ),
        f"\nOf {flow['rows']} rows {flow['rows_refused']} were refused. {describe_boxes(flow['boxes'])}\n",
        "## Model\n",
        f"{describe_model(manifest, internal['cross_fitting'])} A value that is not known is averaged over what it is "
        "expected to be, given the image score and the known values.\n",
        *describe_coefficients(head, manifest),
        f"Threshold {threshold['value']:.3f} (95 % interval "
        f"{threshold['interval'][0]:.3f}-{threshold['interval'][1]:.3f}; {name_threshold_rule(threshold['rule'])}, "
        f"chosen on {threshold['chosen_on']}). "
        f"Indeterminate between {no_call['low']:.3f} and {no_call['high']:.3f}: {no_call['rule']}.\n",
        "## Figures\n",
        "| split | n | events | AUC (95 % CI) | image alone | clinical alone | gain over clinical (95 % CI), p |",
        "| --- | --- | --- | --- | --- | --- | --- |",
        *(_row(name, part) for name, part in metrics.items()),
        "\nThe figures of the training split use image scores out of fold (a patient's from heads that did not see the "
        "patient), but the fusion was fitted on these patients, so no p-value is given there.\n",
        *describe_calibration(metrics),
        *describe_by_box(internal["boxes"]),
        describe_gate(internal["gate"]),
        *describe_no_call(internal["no_call"]),
        describe_between_views(manifest),
        *describe_internal(internal),
        *describe_stability(internal),
        *describe_coverage(manifest["n_refits"]),
        "## Limits\n",
        f"{LIMITS}\n",
        *(f"- {note}" for note in notes),
        *describe_reporting(manifest, flow, internal),
    ]
    return "\n".join(line for line in lines if line) + "\n"


def _row(name: str, part: Mapping[str, Any]) -> str:
    others = {comparison["model"]: comparison for comparison in part["comparisons"]}
    image, clinical = others.get("image", {}), others.get("clinical", {})
    cells = [
        _describe_auc(part["discrimination"]),
        write_number(image.get("auc_b")),
        write_number(clinical.get("auc_b")),
    ]
    gain = "fitted on these patients" if name == "train" else _describe_gain(clinical)
    return f"| {name} | {part['n']} | {part['events']} | {' | '.join(cells)} | {gain} |"


def _describe_auc(figures: Mapping[str, Any]) -> str:
    return write_estimate(figures.get("auc"), figures.get("auc_ci"), figures.get("reason"), level=None)


def _describe_gain(comparison: Mapping[str, Any]) -> str:
    gain = write_estimate(comparison.get("difference"), comparison.get("ci"), comparison.get("reason"), level=None)
    return gain if comparison.get("p") is None else f"{gain}, p = {comparison['p']:.3g}"

"""The model card of an updated bundle: its parent, the change note, the tests, and what its interval covers."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from core.clinical import BY_NAME
from core.evaluation.calibration.closed_test import Method
from core.evaluation.estimate import write_estimate
from core.inference.prediction import INTERVAL
from core.inference.render import FEW_USE
from core.training.bundle.card_parts import describe_calibration
from models.cutoff import Cutoff
from models.fusion import FusionHead
from models.manifest import name_threshold_rule

METHOD_WORDS: Mapping[Method, str] = {
    "keep": "kept as it is",
    "in the large": "recalibrated in the large (new intercept)",
    "recalibration": "recalibrated (new intercept and slope)",
    "refit": "fusion fitted anew (every coefficient)",
}
COVERS: Mapping[Method, str] = {
    "in the large": "the parent's refits, each with an intercept of its own from patients drawn with replacement",
    "recalibration": "the parent's refits, each recalibrated on patients drawn with replacement",
    "refit": "fusions fitted anew on patients drawn with replacement, with the parent's refits of the image score",
}
SIMULATED = (
    "**Simulated.** Patients of the parent's training or of this update are simulated. The figures show that the "
    "method runs, not how it performs on patients.\n"
)


def write_card(
    manifest: Mapping[str, Any],
    update: Mapping[str, Any],
    metrics: Mapping[str, object],
    before: FusionHead,
    after: FusionHead,
) -> str:
    """Write the card in Markdown, with the fusion "m1" before and after the update."""
    parent, data, threshold = update["parent"], manifest["training_data"], manifest["threshold"]
    patients, register, no_call = update["patients"], update["register"], manifest["no_call"]
    method: Method = update["method"]
    lines = [
        f"# {manifest['name']}\n",
        SIMULATED if data["simulated"] else "",
        f"**{FEW_USE}**\n" if data.get("few") else "",
        "Estimates before surgery, from one breast ultrasound image and what is known before biopsy, the probability "
        f"that Ki-67 is high ({Cutoff.from_json(manifest['cutoff']).words}). For research use only.\n",
        "## Change\n",
        f"Parent: {parent['name']}, sha256 `{parent['sha256']}`. By {update['author']}: {update['note']}\n",
        f"{METHOD_WORDS[method].capitalize()}, on {patients['n']} {patients['kind']} patients of the register "
        f"({patients['events']} with a high Ki-67; centres {', '.join(data['centres'])}), each with an estimate of the "
        f"parent made before the outcome was entered. Register read to entry {register['number']}, "
        f"`{register['hash']}`.\n",
        *_describe_tests(update),
        "Network, image score, coding of the clinical values and what is expected of a value that is not known are the "
        "parent's; so are the fusions other than M1 (image alone, clinical alone, M2, node metastasis), which were not "
        "updated.\n",
        "## Model\n",
        *_describe_coefficients(before, after),
        f"Interval of a probability: percentiles of {len(after.bootstrap)} refits, {COVERS[method]}. It "
        "reflects who happened to be trained and updated on, not that other hospitals or later patients differ.\n",
        f"Threshold {threshold['value']:.3f} (95 % interval {threshold['interval'][0]:.3f}-"
        f"{threshold['interval'][1]:.3f}; {name_threshold_rule(threshold['rule'])}, chosen on "
        f"{threshold['chosen_on']}). Indeterminate between {no_call['low']:.3f} and {no_call['high']:.3f}: "
        f"{no_call['rule']}.\n",
        "## Figures\n",
        *_describe_figures(metrics, update["optimism"]),
        *describe_calibration(metrics),
        "All figures are of the patients that the update was fitted on. It is judged by the estimates that it makes "
        "from now on.\n",
        "## Limits\n",
        "No claim to replace biopsy or sentinel node, to select chemotherapy or to predict one patient's recurrence. "
        "Those of the parent's card hold here too.\n",
    ]
    return "\n".join(line for line in lines if line) + "\n"


def _describe_tests(update: Mapping[str, Any]) -> Iterator[str]:
    yield (
        "Closed testing procedure (Vergouwe et al., Statistics in Medicine 2017;36:4529): the refit of all "
        "coefficients against each lesser update, at 5 %; the first that is not significant ends it.\n"
    )
    yield "| against | log-likelihood | chi-squared | degrees of freedom | p |\n| --- | --- | --- | --- | --- |"
    for name, row in update["tests"].items():
        test = "| | |" if row["p"] is None else f"{row['chisq']:.2f} | {row['df']:.0f} | {row['p']:.3g} |"
        yield f"| {METHOD_WORDS[name]} | {row['log_likelihood']:.2f} | {test}"
    yield "\n"


def _describe_coefficients(before: FusionHead, after: FusionHead) -> Iterator[str]:
    names = ["intercept", "image score", *(BY_NAME[term.field].label for term in after.terms)]
    old, new = ([head.intercept, head.image_coef, *head.coefs] for head in (before, after))
    low, high = np.percentile(after.bootstrap, INTERVAL, axis=0)
    yield "| term | parent | updated (95 % interval), log-odds |\n| --- | --- | --- |"
    for row in zip(names, old, new, low, high, strict=True):
        yield "| {} | {:+.2f} | {:+.2f} ({:+.2f} to {:+.2f}) |".format(*row)
    yield "\n"


def _describe_figures(metrics: Mapping[str, Any], optimism: Mapping[str, Any]) -> Iterator[str]:
    part = metrics["train"]
    roc = part["discrimination"]
    auc = write_estimate(roc.get("auc"), roc.get("auc_ci"), roc.get("reason"), level=None)
    yield f"{part['n']} patients, {part['events']} with a high Ki-67; AUC (95 % CI) {auc}.\n"
    for comparison in part["comparisons"]:
        gain = write_estimate(comparison.get("difference"), comparison.get("ci"), comparison.get("reason"), level=None)
        yield f"AUC minus that of the parent on the same patients (paired DeLong, 95 % CI): {gain}.\n"
    told = "; ".join(
        f"{label} {optimism[key]['apparent']:.3f}, corrected {optimism[key]['corrected']:.3f}"
        for key, label in (("auc", "AUC"), ("intercept", "calibration intercept"), ("slope", "calibration slope"))
        if optimism[key]["corrected"] is not None
    )
    yield (
        f"Optimism, tests and update repeated on {optimism['n_refits']} draws of the {optimism['n']} patients: "
        f"{told or 'not estimable'}.\n"
    )

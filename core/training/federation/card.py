"""The model card of a federated bundle: its sites, how they differ, and what was not measured."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from core.clinical import BY_NAME
from core.evaluation.estimate import write_number
from core.inference.prediction import INTERVAL
from models.cutoff import Cutoff
from models.fusion import FusionHead

SIMULATED = "**Simulated.** The patients of all sites are simulated: the bundle shows that the method runs.\n"
FIRST_ROUND = (
    "The sites' fusions have image scores of each site's own, out of fold: with few patients these say less than the "
    "score of all sites, so that the image's coefficient is too small. A second round mends that: each site exports "
    "again with `--bundle` and this bundle.\n"
)
SECOND_ROUND = "The sites' fusions have the image score of the other sites' patients (second round, bundle {sha256}).\n"


def write_card(manifest: Mapping[str, Any], federation: Mapping[str, Any], head: FusionHead) -> str:
    """Write the card of a federated bundle in Markdown."""
    data, threshold, no_call = manifest["training_data"], manifest["threshold"], manifest["no_call"]
    is_first = federation["is_first_round"]
    lines = [
        f"# {manifest['name']}\n",
        SIMULATED if data["simulated"] else "",
        "Estimates before surgery, from one breast ultrasound image and what is known before biopsy, the probability "
        f"that Ki-67 is high ({Cutoff.from_json(manifest['cutoff']).words}). For research use only.\n",
        "## Training data\n",
        f"{data['description']} {data['n_patients']} patients. No patient left a site: each exported sums of features "
        "and a fusion, of classes with ten patients or more.\n",
        "| site | patients | high Ki-67 |\n| --- | --- | --- |",
        *(f"| {site['site']} | {site['n']} | {site['events']} |" for site in federation["sites"]),
        "\n## Model\n",
        "Image score: ridge regression of ln Ki-67 on the pooled features, a head for each left-out site, the mean of "
        f"them for new patients (penalty {federation['penalty']:g}); it equals the fit to all patients together. "
        "Fusion: logistic regression at each site, without a penalty, pooled with random effects.\n",
        FIRST_ROUND if is_first else SECOND_ROUND.format(sha256=federation["scored_by"][:12]),
        *_describe_coefficients(federation, head),
        f"Interval of a probability: percentiles of {manifest['n_refits']} draws of the pooled coefficients and of the "
        "image head, as normal. It holds the chance in who was trained on and the sites' differences in the mean; not "
        "how far a new site lies from that mean (prediction interval above).\n",
        f"Threshold {threshold['value']:.3f}: {threshold['rule']}. Indeterminate between {no_call['low']:.3f} and "
        f"{no_call['high']:.3f}: {no_call['rule']}.\n",
        "## Figures\n",
        "None: no site's patients were seen together with this bundle. Each site has to test it on patients that it "
        "did not train on, before it is used.\n",
        "## Limits\n",
        "No claim to replace biopsy or sentinel node, to select chemotherapy or to predict one patient's recurrence. "
        "Whether an image is like those of the training is judged by the backbone's images alone. Node metastasis is "
        "not estimated.\n",
    ]
    return "\n".join(line for line in lines if line) + "\n"


def _describe_coefficients(federation: Mapping[str, Any], head: FusionHead) -> Iterator[str]:
    low, high = np.percentile(head.bootstrap, INTERVAL, axis=0)
    yield (
        "Log-odds. tau: standard deviation between sites (restricted maximum likelihood); I squared: its share of the "
        "variance; prediction interval: of a new site's coefficient.\n"
    )
    yield "| term | coefficient (95 % interval) | tau | I squared | prediction interval |"
    yield "| --- | --- | --- | --- | --- |"
    for row, lowest, highest in zip(federation["coefficients"], low, high, strict=True):
        reach = "needs three sites"
        if row["prediction_low"] is not None:
            reach = f"{row['prediction_low']:+.2f} to {row['prediction_high']:+.2f}"
        yield (
            f"| {name_term(row['term'])} | {row['estimate']:+.2f} ({lowest:+.2f} to {highest:+.2f}) | "
            f"{write_number(row['tau'], 2)} | {100 * row['i2']:.0f} % | {reach} |"
        )
    yield "\n"


def name_term(name: str) -> str:
    """Name a coefficient as people read it."""
    return {"intercept": "intercept", "image": "image score"}.get(name) or BY_NAME[name].label

"""The methods of a paper, filled with what was done: from manifest, flow and evidence."""

from collections.abc import Iterator, Mapping
from typing import Any

from core import __version__
from core.cohort.scoring.score import describe_boxes
from core.figures.cohort.subjects import SUBJECTS, TABLE_ONE
from core.figures.wording import word_count
from core.inference.explain import label_term
from core.inference.render import FEW_USE
from core.paper.content import Section
from core.paper.study import Study
from core.training.bundle.card_parts import describe_model
from models.cutoff import Cutoff

HEADS = {
    "image score": "image score",
    "m1": "the model",
    "image": "image alone",
    "clinical": "clinical values alone",
    "m2": "with the core biopsy",
}
SIZES = {"optimism": "optimism in R squared", "ratio": "observed over expected", "auc": "AUC"}
RULES = {"youden": "Youden's index"}


def write_methods(study: Study) -> Iterator[Section]:
    """Write each section of the methods."""
    manifest = study.manifest
    yield Section("methods", "Methods", level=1)
    yield Section("data", "Data and participants", tuple(_describe_data(study)))
    cutoff = Cutoff.from_json(manifest["cutoff"]).words
    outcome = f"The outcome was the Ki-67 of the surgical specimen, called {manifest['positive_class']} at {cutoff}."
    yield Section("outcome", "Outcome", (outcome,))
    yield Section("predictors", "Predictors and images", tuple(_describe_inputs(study)))
    yield Section("missing-values", "Missing values", (MISSING,))
    yield Section("size", "Sample size", tuple(_describe_size(study)))
    yield Section("model", "Model", tuple(_describe_model(study)))
    yield Section("call", "Threshold and indeterminate range", (_describe_call(manifest),))
    yield Section("validation", "Internal validation", tuple(_describe_validation(study)))
    methods = tuple(f"{subject.title}. {subject.method}" for subject in (TABLE_ONE, *SUBJECTS))
    yield Section("statistics", "Statistical analysis", (*methods, LACKS))
    versions = ", ".join(f"{name} {version}" for name, version in manifest["versions"].items())
    software = f"The model was trained with {versions}. Figures, tables and text were written by SonoKi {__version__}."
    yield Section("software", "Software", (software,))


MISSING = (
    "A clinical value that was not known was averaged over what is expected of it, given the image score and the known "
    "values; it widens the interval of the probability. Patients without an outcome enter no figure that needs it."
)
LACKS = "What can't be estimated is listed with its reason and is in no figure."


def _describe_data(study: Study) -> Iterator[str]:
    data, flow = study.manifest["training_data"], study.flow
    yield data["description"]
    if data["simulated"]:
        yield "The patients are simulated: images, clinical values, Ki-67 and outcomes are made up by a program."
    if study.cohort.is_few:
        yield FEW_USE
    splits = [
        f"{name} {part['n']:,} ({part['events']:,} with high Ki-67; {word_count(len(part['centres']), 'centre')})"
        for name, part in flow["splits"].items()
    ]
    centres = word_count(len(data["centres"]), "centre")
    yield (
        f"Of {flow['rows']:,} rows of the table of images {flow['rows_refused']:,} were refused; {flow['patients']:,} "
        f"patients of {centres} were used: {'; '.join(splits)}. All images of a patient stood in one split."
    )
    held = ", ".join(data["external_centre"])
    yield f"Held out for the external test: centre {held}." if held else "No centre was held out for an external test."
    if boxes := flow.get("boxes"):
        yield describe_boxes(boxes)


def _describe_inputs(study: Study) -> Iterator[str]:
    rule = study.bundle.manifest.input
    names = [label_term(name) for name in study.manifest["predictors"]]
    yield f"Predictors known before biopsy: the ultrasound image; {'; '.join(names)}."
    yield (
        f"The network was given the lesion box enlarged {rule.context:g} times, resized to {rule.size} x {rule.size} "
        f"pixels of grey, from which {rule.mean:g} was taken and which was divided by {rule.std:g}. "
        "One patient's images gave one score, their mean."
    )


def _describe_size(study: Study) -> Iterator[str]:
    yield "No sample size was planned by the program; what stands below was computed afterwards."
    for name, words in (("sample_size", "develop"), ("validation_size", "validate")):
        size = (study.internal or {}).get(name)
        if size:
            parts = ", ".join(f"{SIZES.get(part, part)} {value:,}" for part, value in size.items() if part != "needed")
            yield f"To {words} such a model Riley et al. ask for {size['needed']:,} patients ({parts})."


def _describe_model(study: Study) -> Iterator[str]:
    manifest = study.manifest
    crossed = (study.internal or {}).get("cross_fitting")
    yield describe_model(manifest, crossed)
    penalties = "; ".join(f"{HEADS.get(name, name)} {value:g}" for name, value in manifest.get("penalties", {}).items())
    yield (
        f"Ridge penalties: {penalties or 'not kept by this bundle'}. "
        f"Weights of the network: sha256 {manifest['backbone']['sha256']}. "
        f"Seed {manifest['seeds']['training']}. There was one network, no ensemble, and no weighting "
        "for class imbalance."
    )
    yield (
        f"Intervals of a probability: 2.5th to 97.5th percentile of {len(study.bundle.refits):,} refits of the whole "
        "fit on patients drawn with replacement. What moved a probability is shown by a heat map that adds up to the "
        "image's log-odds, and by the nomogram; it shows influence, not biology."
    )


def _describe_call(manifest: Mapping[str, Any]) -> str:
    threshold, zone = manifest["threshold"], manifest["no_call"]
    rule = RULES.get(threshold["rule"], threshold["rule"])
    limits = threshold.get("interval")
    interval = f" (95 % interval {limits[0]:.3f} to {limits[1]:.3f})" if limits else ""
    return (
        f"Threshold {threshold['value']:.3f}{interval}, chosen by {rule} on {threshold['chosen_on']} and then frozen. "
        f"Indeterminate range {zone['low']:.3f} to {zone['high']:.3f}: {zone['rule']}."
    )


def _describe_validation(study: Study) -> Iterator[str]:
    if study.internal is None:
        yield "The bundle has no measures of internal validation."
        return
    optimism = study.internal["optimism"]
    yield (
        f"Optimism: the whole fit repeated in {optimism['n_refits']:,} refits of the {optimism['n']:,} training "
        "patients. Learning curve: fits on fewer training patients, tested on the validation and test splits. Centres: "
        "each training centre left out in turn, pooled with random effects. Instability: the range of a patient's "
        "probability over the refits (Riley and Collins 2023)."
    )

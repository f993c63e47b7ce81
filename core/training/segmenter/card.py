"""The segmenter's card: data, licence, recipe, figures, limits."""

from collections.abc import Iterator, Mapping
from typing import Any

from core.evaluation.estimate import write_estimate
from core.training.backbone.card import CITATIONS

LETTERBOX = (
    "The whole B-mode area, its longer side scaled to the square's side, aspect kept, centred, the rest black; "
    "bilinear with antialiasing; the probability is the mean over the frame and its mirror image."
)
RECIPE = (
    "The encoder of an EfficientNet-Lite2 that starts from the backbone's weights, a decoder of three "
    "convolutions back to stride 4; {parameters:.1f} M parameters. Cross-entropy and Dice, AdamW, cosine "
    "schedule, averaged weights, bf16 where the processor computes in it; {stages}, {batch} frames a step, the "
    "lesion-free ones among them. Augmentation: left-right flip, zoom 0.7 to 1.8 on black, shift, aspect, tilt, "
    "grey map, gain, depth gain, speckle of several grains, lower resolution, blur, caliper marks, burned-in "
    "words, borders, shadows. The recipe was fixed before any figure was computed. Each figure is of a network "
    "whose encoder and decoder saw no patient of the part held out; the weights that are kept are fitted on all "
    "clinics."
)
CONFIDENCE = (
    "A lesion is a patch of probabilities of at least {threshold} whose mean (the confidence) is at least "
    "{least}. The least confidence is the one at which the larger of two ratios is smallest: the share of "
    "lesion-free frames with a proposal divided by 10 %, and the share of lesions missed divided by 3 %. It is "
    "chosen on the clinics left out: for each row below on the other ones, or on the clinic itself where it alone "
    "was left out, which favours its counts."
)
LIMITS = (
    "A proposal is a starting point that the user checks, not a detection or a measurement for the record. That "
    "nothing is proposed does not mean that there is no lesion. Doppler frames are used for training, but not for "
    "the figures. Research use only."
)
GROUPS = ("all", "benign", "malignant")
MEASURES = ("dice", "iou", "box_iou")


def write_readable_card(card: Mapping[str, Any]) -> str:
    """Write the words of CARD.md from what segmenter.json holds."""
    data, recipe = card["training_data"], card["recipe"]
    frames = ", ".join(f"{name} {n}" for name, n in data["frames"].items())
    stages = ", then ".join(f"{steps} steps at {size} px" for size, steps in recipe["stages"])
    words = RECIPE.format(parameters=card["parameters"] / 1e6, stages=stages, batch=recipe["batch_size"])
    rule = CONFIDENCE.format(threshold=card["threshold"], least=card["least_confidence"])
    parts = [
        "# Lesion segmenter",
        "Proposes the outlines of lesions on a breast ultrasound frame. Trained on real images; research use only.",
        f"## Data\n\nFrames: {frames}, {data['lesion_free']} of them without a lesion; {data['patients']} patients or "
        f"groups of near-duplicates.\n\n{CITATIONS}",
        f"## Input and output\n\n{LETTERBOX} {card['input']['size']} px. {rule}",
        f"## Recipe\n\n{words}",
        *_describe_figures(card["figures"]),
        f"## Limits\n\n{LIMITS}",
    ]
    return "\n\n".join(parts) + "\n"


def _describe_figures(figures: Mapping[str, Any]) -> Iterator[str]:
    if not figures:
        yield "## Figures\n\nNothing was held out, so nothing was measured."
        return
    yield (
        "## Outlines\n\nFirst proposed lesion against the drawn one that it meets best; a frame without a proposal "
        "counts 0. A patient's frames are averaged; 95 % interval by bootstrap over patients.\n\n"
        "| held out | lesions | frames | patients | Dice | IoU of the mask | IoU of the box |\n"
        + "\n".join(["| --- " * 7 + "|", *_tabulate_outlines(figures)])
    )
    yield (
        "## Missed lesions and proposals without one\n\nMissed: the first proposal meets no drawn lesion with a Dice "
        "of 0.1. In brackets the 95 % interval (Wilson).\n\n"
        "| held out | least confidence | lesions missed | lesion-free frames with a proposal | lesions found on frames "
        "with several |\n" + "\n".join(["| --- " * 5 + "|", *map(_tabulate_counts, figures.items())])
    )
    yield (
        "## Malignancy from the proposed box\n\nFrames with one lesion, by a backbone and a segmenter that saw none of "
        "their patients; where nothing is proposed the box in the middle stands in. Clusters are patients; the "
        "difference is DeLong's, paired, of patients' means.\n\n"
        "| held out | frames | malignant | patients | AUC, drawn box | AUC, proposed box | difference |\n"
        + "\n".join(["| --- " * 7 + "|", *map(_tabulate_boxes, figures.items())])
    )


def _tabulate_outlines(figures: Mapping[str, Any]) -> Iterator[str]:
    for name, part in figures.items():
        for group in (one for one in GROUPS if one in part):
            found = part[group]
            cells = (write_estimate(found[m]["mean"], found[m]["ci"], level=None) for m in MEASURES)
            yield f"| {name} | {group} | {found['frames']} | {found['patients']} | {' | '.join(cells)} |"


def _tabulate_counts(item: tuple[str, Mapping[str, Any]]) -> str:
    name, part = item
    cells = (_share(part[key]) for key in ("missed", "false_alarms", "several"))
    return f"| {name} | {part['least_confidence']} | {' | '.join(cells)} |"


def _share(found: Mapping[str, Any] | None) -> str:
    if found is None:
        return "none there"
    return f"{found['count']} of {found['n']}: {write_estimate(found['share'], found['ci'], percent=True, level=None)}"


def _tabulate_boxes(item: tuple[str, Mapping[str, Any]]) -> str:
    name, boxes = item[0], item[1]["boxes"]
    cells = (write_estimate(boxes[k]["auc"], boxes[k]["ci"], level=None) for k in ("drawn", "proposed", "difference"))
    return f"| {name} | {boxes['n']} | {boxes['events']} | {boxes['patients']} | {' | '.join(cells)} |"

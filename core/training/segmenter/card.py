"""The segmenter's card: data, licence, recipe, figures, limits."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from models.bundle import CARD

LETTERBOX = (
    "The whole B-mode area, its longer side scaled to the square's side, aspect kept, centred, the rest black; "
    "bilinear with antialiasing; the probability is the mean over the frame and its mirror image."
)
SOURCE = (
    "BUS-BRA: 1,875 breast ultrasound images of 1,064 patients, each with the mask of its lesion (Gomez-Flores W, "
    "Gregorio-Calas MJ, Coelho de Albuquerque Pereira W. Medical Physics 2023)."
)
LICENCE = "The images are free to use and to share if cited. No image is part of this repository."
RECIPE = (
    "A U-Net of residual blocks with batch norm, from random weights: strides 2 to 32, {parameters:.1f} M parameters. "
    "Cross-entropy and Dice, AdamW, cosine, averaged weights, bf16 where it is computed; views of {stages}. "
    "Augmentation: left-right flip, zoom 0.6 to 1.7 with black around, shift, aspect, tilt, gamma, gain, depth "
    "gain, speckle, blur, caliper marks, shadows. Threshold, sizes, epochs, rates and augmentation were fixed before "
    "any held-out figure was computed; the least confidence was chosen afterwards on fold 1, between its lesions and "
    "its lesion-free squares, so that fold's count of lesion-free proposals is not independent of it. "
    "The shipped weights are a short fit on all patients from the first fold's weights; the figures are of networks "
    "that saw no patient of the fold."
)
LIMITS = (
    "One clinic, four devices, one lesion in every image: the network has seen no image without a lesion and none with "
    "two, so it may propose a contour where there is none. Images of other clinics were not measured. A proposal is a "
    "starting point that the user checks; it is no detection and no measurement for the record. Research use only."
)
GROUPS = ("all", "benign", "malignant")
MEASURES = ("dice", "iou", "box_iou")


def write_readable_card(folder: Path, card: Mapping[str, Any]) -> None:
    """Write CARD.md into the segmenter's folder.

    Parameters
    ----------
    folder : Path
        The segmenter's folder.
    card : mapping
        What segmenter.json holds: training_data, recipe, parameters, figures.
    """
    stages = ", ".join(f"{size} px for {n} epochs" for size, n in card["recipe"]["cross_validation"]["stages"])
    lines = [
        "# Lesion segmenter\n",
        "Proposes the outline of a lesion on a breast ultrasound frame. Trained on real images; research use only.\n",
        f"## Data\n\n{card['training_data']['description']} {LICENCE}\n",
        f"## Input\n\n{LETTERBOX} {card['input']['size']} px. A lesion is a patch of probabilities of at least "
        f"{card['threshold']} whose mean (the confidence) is at least {card['least_confidence']}.\n",
        f"## Recipe\n\n{RECIPE.format(parameters=card['parameters'] / 1e6, stages=stages)}\n",
        "## Figures\n",
        *_describe_held_out(card["figures"]["held_out"]),
        *(line for part in card["figures"]["boxes"] for line in _describe_boxes(part)),
        f"## Limits\n\n{LIMITS}\n",
    ]
    (folder / CARD).write_text("\n".join(lines), encoding="utf-8")


def _describe_held_out(figures: Mapping[str, Any] | None) -> Iterator[str]:
    if figures is None:
        yield "No fold was held out, so nothing was measured.\n"
        return
    yield (
        f"First proposed lesion against the drawn mask, held-out fold {', '.join(map(str, figures['folds']))}: "
        f"{figures['images']} images of {figures['patients']} patients. A patient's images are averaged; 95 % interval "
        "by bootstrap over patients.\n"
    )
    yield "| patients | n | Dice | IoU of the mask | IoU of the box |\n| --- | --- | --- | --- | --- |"
    for name in GROUPS:
        yield _row(name, figures[name])
    for fold in figures["by_fold"] if len(figures["by_fold"]) > 1 else ():
        yield _row(f"fold {fold['folds'][0]}", fold["all"])
    missed = figures["missed"]
    yield (
        f"\nComplete misses (Dice below .1): {missed['images']} images, {missed['patients']} of {figures['patients']} "
        f"patients ({missed['share']:.1%}; {missed['ci'][0]:.1%} to {missed['ci'][1]:.1%}). Nothing found in "
        f"{figures['none']} images, more than one lesion in {figures['several']}.\n"
    )
    free = figures["lesion_free"]
    yield (
        f"Lesion-free squares beside the drawn box of the same images: a lesion is proposed in {free['proposals']} of "
        f"{free['strips']}. A proposal is no sign that there is a lesion.\n"
    )


def _row(name: str, group: Mapping[str, Any]) -> str:
    cells = (f"{m['mean']:.3f} ({m['ci'][0]:.3f}-{m['ci'][1]:.3f})" for m in (group[k] for k in MEASURES))
    return f"| {name} | {group['n']} | {' | '.join(cells)} |"


def _describe_boxes(part: Mapping[str, Any]) -> Iterator[str]:
    auc, difference = part["auc"], part["auc"]["difference"]
    if "fold" in part:
        yield f"### Proposed instead of drawn box, BUS-BRA fold {part['fold']}\n"
        yield (
            "The segmenter saw no patient of the fold. The bundle's backbone was fitted on all patients with their "
            "drawn boxes: the AUCs are no measure of it, and their difference may favour the drawn box.\n"
        )
    else:
        yield f"### Proposed instead of drawn box, simulated patients, split {part['split']}\n"
        yield "Simulated images, simulated Ki-67. The segmenter has seen no simulated image.\n"
    yield (
        f"{part['images']} images, a lesion proposed in {part['found']}; mean IoU of the boxes {part['box_iou']:.3f}, "
        f"above .5 in {part['box_iou_above_half']:.1%}.\n"
    )
    yield "| absolute change of the probability | median | 95th percentile | largest |\n| --- | --- | --- | --- |"
    for name, label in (("malignancy", "malignancy"), ("ki67", "high Ki-67 (trained on simulated patients)")):
        change = part["change"][name]
        yield f"| {label} | {change['median']:.3f} | {change['p95']:.3f} | {change['max']:.3f} |"
    drawn, proposed = auc["drawn"], auc["proposed"]
    yield (
        f"\nAUC of {'malignancy' if auc['of'] == 'malignancy' else 'high Ki-67'}, n = {auc['n']} patients, "
        f"{auc['events']} events: drawn {_interval(drawn['auc'], drawn['ci'])}, proposed "
        f"{_interval(proposed['auc'], proposed['ci'])}, difference {_interval(difference['value'], difference['ci'])} "
        f"(DeLong, paired, p = {difference['p']:.2g}).\n"
    )


def _interval(value: float, ci: tuple[float, float]) -> str:
    return f"{value:.3f} ({ci[0]:.3f} to {ci[1]:.3f})"

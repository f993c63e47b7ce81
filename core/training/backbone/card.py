"""The backbone's card: data, licence, recipe, figures, limits."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from core.evaluation.estimate import write_estimate
from models.bundle import CARD

LICENCE = (
    "It is free to use and to share if cited: Gomez-Flores W, Gregorio-Calas MJ, Coelho de Albuquerque Pereira W. "
    "BUS-BRA: a breast ultrasound dataset for assessing computer-aided diagnosis systems. Medical Physics 2023."
)
RECIPE = (
    "ResNet-50 with one grey channel, from random weights. Lesion-centred squares (1.75 times the longer side of the "
    "box), the box moved and rescaled at random by up to a fifth; gain, dynamic range, depth gain, speckle, blur, "
    "caliper marks, tilt and left-right flips at random. One network learns malignancy and beside it BI-RADS category, "
    "histology, ten descriptors measured from image and mask (echo, posterior echo, margin, outline) and the lesion's "
    "outline; only the malignancy head is kept. The image side grows from stage to stage. AdamW, cosine, averaged "
    "weights, bf16."
)


def write_readable_card(folder: Path, training_data: Mapping[str, Any], figures: Sequence[Mapping[str, Any]]) -> None:
    """Write CARD.md into the backbone's folder.

    Parameters
    ----------
    folder : Path
        The backbone's folder.
    training_data : mapping
        description, images, patients.
    figures : sequence of mapping
        What `core.training.backbone.folder.evaluate_fold` gave for each held-out fold.
    """
    lines = [
        "# Backbone\n",
        "Features of breast ultrasound and the probability of malignancy. Trained on real images; research use only.\n",
        f"## Data\n\n{training_data['description']} {LICENCE} No image is part of this repository.\n",
        f"## Recipe\n\n{RECIPE}\n",
        "The weights kept are fitted on all patients; the figures are of networks that saw no patient of the fold.\n",
        "## Figures\n\nMalignancy by patient: mean logit of the patient's images; DeLong 95 % interval.\n",
        "| fold | box | patients | malignant | AUC (95 % CI) |\n| --- | --- | --- | --- | --- |",
        *(line for fold in figures for line in _rows(fold)),
        "\n## Limits\n\nOne clinic, four devices, one lesion in the box. Not measured on other clinics' images.\n",
    ]
    (folder / CARD).write_text("\n".join(lines), encoding="utf-8")


def _rows(fold: Mapping[str, Any]) -> list[str]:
    return [
        f"| {fold['fold']} | {name} | {f['n']} | {f['events']} | "
        f"{write_estimate(f['auc'], f['auc_ci'], f.get('reason'), level=None)} |"
        for name, f in fold["patients"].items()
    ]

"""The segmenter's folder: weights and card, verified by hash; no torch."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from models.bundle import BundleError, hash_file

SCHEMA_VERSION = 1
WEIGHTS, CARD_JSON = "segmenter.safetensors", "segmenter.json"


def read_card(folder: Path) -> Mapping[str, Any]:
    """Read a segmenter's card and verify its weights.

    Parameters
    ----------
    folder : Path
        Holds segmenter.safetensors (fp16) and segmenter.json.

    Returns
    -------
    mapping
        schema_version, input (size, mean, std, letterbox), threshold, least_confidence, sha256, seed, training_data,
        figures.

    Raises
    ------
    BundleError
        If a file is missing, was changed, or has another schema.
    """
    try:
        card = dict(json.loads((folder / CARD_JSON).read_text(encoding="utf-8")))
        matches = hash_file(folder / WEIGHTS) == card["sha256"]
    except (FileNotFoundError, json.JSONDecodeError, UnicodeDecodeError, KeyError):
        raise BundleError(
            f"The folder holds no lesion segmenter ({WEIGHTS} and {CARD_JSON}): make one by "
            "'python -m core pretrain-segmenter'."
        ) from None
    if card.get("schema_version") != SCHEMA_VERSION:
        raise BundleError(
            f"The lesion segmenter has schema version {card.get('schema_version')}, this program reads "
            f"{SCHEMA_VERSION}: train it anew or take the program's other version."
        )
    if not matches:
        raise BundleError(f"{WEIGHTS} was changed after training (its hash differs): fetch it anew.")
    return card


def misfit() -> BundleError:
    """Say that the weights are another network's."""
    return BundleError(f"{WEIGHTS} holds another network than the lesion segmenter: fetch it anew.")

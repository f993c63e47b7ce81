"""The segmenter's folder: weights and card, verified by hash; no torch."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from models.bundle import BundleError, hash_file

SCHEMA_VERSION = 2
WEIGHTS, CARD_JSON = "segmenter.onnx", "segmenter.json"


def read_card(folder: Path) -> Mapping[str, Any]:
    """Read a segmenter's card and verify its weights."""
    try:
        card = dict(json.loads((folder / CARD_JSON).read_text(encoding="utf-8")))
        matches = hash_file(folder / WEIGHTS) == card["sha256"]
    except (FileNotFoundError, json.JSONDecodeError, UnicodeDecodeError, KeyError):
        raise BundleError(
            f"The folder holds no lesion segmenter ({WEIGHTS} and {CARD_JSON}): make one by 'python -m core pretrain'."
        ) from None
    if card.get("schema_version") != SCHEMA_VERSION:
        raise BundleError(
            f"The lesion segmenter has schema version {card.get('schema_version')}, this program reads "
            f"{SCHEMA_VERSION}: train it anew or take the program's other version."
        )
    if not matches:
        raise BundleError(f"{WEIGHTS} was changed after training (its hash differs): fetch it anew.")
    return card


def write_card(folder: Path, card: Mapping[str, Any]) -> None:
    """Write segmenter.json for the weights in the folder; `card` is all but schema version and hash."""
    full = {"schema_version": SCHEMA_VERSION, "sha256": hash_file(folder / WEIGHTS), **card}
    (folder / CARD_JSON).write_text(json.dumps(full, indent=1) + "\n", encoding="utf-8")

"""The segmenter's folder: weights and cards, verified by hash; no torch."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from models.sealed import Sealed

WEIGHTS = "segmenter.onnx"
SEGMENTER = Sealed("lesion segmenter", "segmenter.json", 3)


def read_card(folder: Path) -> Mapping[str, Any]:
    """Read segmenter.json, and verify it and every file beside it."""
    return SEGMENTER.read(folder)[0]


def write_card(folder: Path, card: Mapping[str, object], words: str = "# Lesion segmenter\n") -> None:
    """Write segmenter.json for the weights in the folder, and CARD.md with these words."""
    SEGMENTER.write(folder, card, [WEIGHTS], words)

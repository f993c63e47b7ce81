"""What breast ultrasound looks like in general: one reference of real images and one of simulated ones.

`reference.json` holds them; `python -m tests.core.imaging.rates BUSBRA_DIR --write` measures them anew and prints how
many images of each kind are then passed, cautioned and refused.
"""

import json
from pathlib import Path

from core.imaging.appearance import STATISTICS, AppearanceReference

REFERENCE_FILE = Path(__file__).with_name("reference.json")


def _read_references() -> tuple[AppearanceReference, ...]:
    stored = json.loads(REFERENCE_FILE.read_text())
    if tuple(stored["statistics"]) != STATISTICS:
        raise ValueError("reference.json was measured with other statistics; measure it anew")
    return tuple(
        AppearanceReference(
            tuple(entry["centre"]), tuple(tuple(row) for row in entry["whitening"]), entry["caution"], entry["refusal"]
        )
        for entry in stored["references"].values()
    )


BREAST_ULTRASOUND = _read_references()

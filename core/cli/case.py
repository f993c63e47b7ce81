"""What the verbs of one case share: its clinical values and its lesion box."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.cli.console import say
from core.errors import InputError, UsageError

if TYPE_CHECKING:
    from core.imaging import Frame, Roi


def propose_box(frame: "Frame") -> "Roi":
    """Take the box of the best lesion that the segmenter outlines, and say so."""
    from core.imaging import default_roi  # noqa: PLC0415
    from core.inference.lesion_finder import LesionFinder  # noqa: PLC0415

    lesions = LesionFinder.load().find(frame)
    if not lesions:
        say("No --roi was given and no lesion was found: a default box was taken; give the box to be sure.")
        return default_roi(frame)
    box = frame.to_source(lesions[0].box)
    edges = ",".join(f"{edge:.0f}" for edge in (box.x0, box.y0, box.x1, box.y1))
    several = "" if len(lesions) == 1 else f", the best of {len(lesions)}"
    say(f"No --roi was given: the proposed box {edges} was taken{several}; check it.")
    return lesions[0].box


def read_clinical(path: Path | None) -> dict[str, Any]:
    """Read and check the clinical values of a JSON file, or say in a sentence why not."""
    from core.clinical import parse_inputs  # noqa: PLC0415

    if path is None:
        return {}
    try:
        raw = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise InputError("The file of clinical values is not there; check the path.") from None
    except (OSError, json.JSONDecodeError, UnicodeDecodeError):
        raise InputError(
            'The clinical values are no readable JSON; write for example {"age": 54, "size_mm": 21}.'
        ) from None
    if not isinstance(raw, dict):
        raise InputError("The clinical values must be one JSON object, field to value.")
    return parse_inputs(raw)


def parse_roi(text: str) -> tuple[float, float, float, float]:
    """Parse the edges of a box, X0,Y0,X1,Y1."""
    try:
        x0, y0, x1, y1 = (float(part) for part in text.split(","))
    except ValueError:
        raise UsageError(f"--roi takes X0,Y0,X1,Y1 in pixels of the image, not '{text[:40]}'.") from None
    return (x0, y0, x1, y1)

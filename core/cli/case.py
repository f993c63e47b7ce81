"""What the verbs of one case share: its clinical values and its lesion box."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.cli.console import read_bytes, say
from core.errors import InputError, UsageError

if TYPE_CHECKING:
    from core.imaging import Frame, Roi
    from core.inference import View

MOST_VIEWS = 12
PLANES = ("transverse", "longitudinal", "other")
AUTO = "auto"
SIDE = "laterality"


@dataclass(frozen=True)
class ViewOptions:
    """What the command line says of the views, each list in the order of the images or empty."""

    rois: Sequence[str] = ()  # X0,Y0,X1,Y1, or "auto" for a proposed box
    # frames, regions: frame of a loop, B-mode region
    frames: Sequence[int] = ()
    regions: Sequence[int] = ()
    planes: Sequence[str] = ()  # "transverse", "longitudinal" or "other"

    def check(self, count: int) -> None:
        """Refuse lists that do not fit the number of images."""
        if count > MOST_VIEWS:
            raise UsageError(f"{count} images were given; a case takes at most {MOST_VIEWS} views of one lesion.")
        for name in ("rois", "frames", "regions", "planes"):
            given = len(getattr(self, name))
            if given not in {0, count}:
                option = f"--{name.removesuffix('s')}"
                raise UsageError(
                    f"{option} was given {given} times for {count} images: give it once for each, or never."
                )
        wrong = [plane for plane in self.planes if plane not in PLANES]
        if wrong:
            raise UsageError(f"--plane takes {', '.join(PLANES)}, not '{wrong[0][:20]}'.")


def read_views(images: Sequence[Path], options: ViewOptions) -> "tuple[tuple[View, ...], list[bytes]]":
    """Read the views of a case, and give them with the bytes of their files."""
    options.check(len(images))
    from core.imaging import Roi, read_frame  # noqa: PLC0415
    from core.inference.prediction import View  # noqa: PLC0415
    from core.inference.sentences import name_repeats  # noqa: PLC0415

    files, views = [read_bytes(path) for path in images], []
    _check_patients(files)
    rois: list[Any] = [None if text == AUTO else Roi(*parse_roi(text)) for text in options.rois or [AUTO] * len(files)]
    several: tuple[Sequence[Any], ...] = (options.frames, options.regions, options.planes)
    frames, regions, planes = (list(given) or [None] * len(files) for given in several)
    for data, roi, frame, region, plane in zip(files, rois, frames, regions, planes, strict=True):
        read = read_frame(data, index=frame, region=region)
        for note in read.notes:
            say(note)
        views.append(View(read, propose_box(read) if roi is None else read.to_frame(roi), plane))
    for sentence in name_repeats(dict(enumerate(views, start=1))):
        say(sentence)
    return tuple(views), files


def _check_patients(files: Sequence[bytes]) -> None:
    """Refuse files that name different patients."""
    if len(files) > 1:
        from core.imaging.identity import name_different_patients  # noqa: PLC0415

        if name_different_patients((data, None) for data in files):
            raise InputError("These files name different patients, so they can't be views of one lesion.")


def propose_box(frame: "Frame") -> "Roi":
    """Take the box of the best lesion that the segmenter outlines, and say so."""
    from core.inference.lesion_finder import get_finder, propose_box  # noqa: PLC0415

    lesions = get_finder().find(frame)
    roi, source = propose_box(frame, lambda _frame: lesions)
    if source == "default":
        say("No --roi was given and no lesion was found: a default box was taken; give the box to be sure.")
        return roi
    box = frame.to_source(roi)
    edges = ",".join(f"{edge:.0f}" for edge in (box.x0, box.y0, box.x1, box.y1))
    several = "" if len(lesions) == 1 else f", the best of {len(lesions)}"
    say(f"No --roi was given: the proposed box {edges} was taken{several}; check it.")
    return roi


def read_clinical(path: Path | None) -> tuple[dict[str, Any], str | None]:
    """Read the model's clinical values and the breast's side of a JSON file, or say in a sentence why not."""
    from core.clinical import parse_inputs  # noqa: PLC0415

    if path is None:
        return {}, None
    try:
        raw = json.loads(path.read_bytes(), object_pairs_hook=_take_once)
    except FileNotFoundError:
        raise InputError("The file of clinical values is not there; check the path.") from None
    except (OSError, RecursionError, ValueError):
        raise InputError(
            'The clinical values are not readable JSON; write for example {"age": 54, "size_mm": 21}.'
        ) from None
    if not isinstance(raw, dict):
        raise InputError("The clinical values must be one JSON object, field to value.")
    known, side = parse_inputs(raw), parse_inputs(raw, [SIDE]).get(SIDE)
    return known, None if side is None else str(side)


def _take_once(pairs: Sequence[tuple[str, object]]) -> dict[str, object]:
    """Refuse a name that stands twice, of which JSON would take the last."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise InputError("A name stands twice in the clinical values; give each field once.")
    return found


def parse_roi(text: str) -> tuple[float, float, float, float]:
    """Parse the edges of a box, X0,Y0,X1,Y1."""
    try:
        x0, y0, x1, y1 = (float(part) for part in text.split(","))
    except ValueError:
        raise UsageError(f"--roi takes X0,Y0,X1,Y1 in pixels of the image, not '{text[:40]}'.") from None
    return (x0, y0, x1, y1)

"""One case, explained."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from core.cli.console import DEMO_BUNDLE, AsJson, app, print_result, read_bytes, say
from core.errors import InputError, UsageError

if TYPE_CHECKING:
    from core.imaging import Frame, Roi


@app.command()
def predict(  # noqa: PLR0913, PLR0917 - options of a command
    image: Annotated[Path, typer.Argument(help="DICOM, PNG, JPEG, BMP or TIFF.")],
    clinical: Annotated[Path | None, typer.Option(help="JSON file: field to value.")] = None,
    roi: Annotated[str, typer.Option(help="Lesion box X0,Y0,X1,Y1 in pixels of the image.")] = "",
    bundle: Annotated[Path, typer.Option(help="Folder of the bundle.")] = DEMO_BUNDLE,
    frame: Annotated[int | None, typer.Option(help="Frame of a loop, from 0.")] = None,
    region: Annotated[int | None, typer.Option(help="B-mode region, from 0, where the file has several.")] = None,
    engine: Annotated[str | None, typer.Option(help="auto, cuda, openvino or torch; else the setting.")] = None,
    precision: Annotated[str | None, typer.Option(help="fp32, bf16, or fp16 on a GPU.")] = None,
    as_json: AsJson = False,
) -> None:
    """Estimate the probability of high Ki-67 for one image, and explain it."""
    from core.imaging import Roi, read_frame  # noqa: PLC0415

    data = read_bytes(image)
    known = _read_clinical(clinical)
    source = Roi(*_parse_roi(roi)) if roi else None
    read = read_frame(data, index=frame, region=region)
    from core.inference.predictor import Case, Predictor  # noqa: PLC0415
    from core.inference.render import render_prediction  # noqa: PLC0415

    predictor = Predictor.load(bundle, engine=engine, precision=precision)
    for note in read.notes:
        say(note)
    box = _propose_box(read) if source is None else read.to_frame(source)
    prediction = predictor.predict(Case(read, box, known))
    if prediction.applicability.status == "refused":
        raise InputError("No estimate: " + " ".join(prediction.applicability.reasons))
    print_result(render_prediction(prediction, predictor.bundle), as_json, _summarise_prediction)


def _propose_box(frame: "Frame") -> "Roi":
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


def _read_clinical(path: Path | None) -> dict[str, Any]:
    from core.clinical import parse_inputs  # noqa: PLC0415

    if path is None:
        return {}
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError("The file of clinical values is not there; check the path.") from None
    except (json.JSONDecodeError, UnicodeDecodeError):
        raise InputError(
            'The clinical values are no readable JSON; write for example {"age": 54, "size_mm": 21}.'
        ) from None
    if not isinstance(raw, dict):
        raise InputError("The clinical values must be one JSON object, field to value.")
    return parse_inputs(raw)


def _parse_roi(text: str) -> tuple[float, float, float, float]:
    try:
        x0, y0, x1, y1 = (float(part) for part in text.split(","))
    except ValueError:
        raise UsageError(f"--roi takes X0,Y0,X1,Y1 in pixels of the image, not '{text[:40]}'.") from None
    return (x0, y0, x1, y1)


def _summarise_prediction(data: dict[str, Any]) -> str:
    low, high = data["interval"]
    lines = [
        f"Probability of high Ki-67: {data['probability']:.1%} (95 % interval {low:.1%} to {high:.1%})",
        data["intended_use"],
        *data["applicability"]["reasons"],
    ]
    return "\n".join([*lines, *(f"{name:>16} {value:+.3f}" for name, value in data["contributions"].items())])

"""One case, explained."""

import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from core.cli.case import parse_roi, propose_box, read_clinical
from core.cli.console import DEMO_BUNDLE, AsJson, app, print_result, read_bytes, say
from core.errors import InputError, UsageError, WorkError

if TYPE_CHECKING:
    from core.documents.render import Form, Paper
    from core.inference import Case, Prediction
    from models.bundle import Bundle

FORMS: dict[str, "Form"] = {".pdf": "pdf", ".html": "html"}


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
    document: Annotated[Path | None, typer.Option(help="Write the document too: FILE.pdf or FILE.html.")] = None,
    paper: Annotated[Literal["a4", "letter"], typer.Option(help="Paper of the document.")] = "a4",
    as_json: AsJson = False,
) -> None:
    """Estimate the probability of high Ki-67 for one image, and explain it."""
    if document is not None and document.suffix.lower() not in FORMS:
        raise UsageError("--document takes a file that ends in .pdf or .html.")
    from core.imaging import Roi, read_frame  # noqa: PLC0415

    data = read_bytes(image)
    known = read_clinical(clinical)
    source = Roi(*parse_roi(roi)) if roi else None
    read = read_frame(data, index=frame, region=region)
    from core.inference.predictor import Case, Predictor  # noqa: PLC0415
    from core.inference.render import render_prediction  # noqa: PLC0415

    predictor = Predictor.load(bundle, engine=engine, precision=precision)
    for note in read.notes:
        say(note)
    box = propose_box(read) if source is None else read.to_frame(source)
    case = Case(read, box, known)
    prediction = predictor.predict(case)
    if prediction.applicability.status == "refused":
        raise InputError("No estimate: " + " ".join(prediction.applicability.reasons))
    if document is not None:
        _write_document(document, paper, case, prediction, predictor.bundle)
    print_result(render_prediction(prediction, predictor.bundle), as_json, _summarise_prediction)


def _write_document(path: Path, paper: "Paper", case: "Case", prediction: "Prediction", bundle: "Bundle") -> None:
    from core.documents.collect_case import collect_case  # noqa: PLC0415
    from core.documents.render import render_patient_document  # noqa: PLC0415

    now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    content = collect_case(case, prediction, bundle, created_utc=now)
    try:
        path.write_bytes(render_patient_document(content, paper=paper, form=FORMS[path.suffix.lower()]))
    except OSError:
        raise WorkError("The file of --document can't be written. Check its path and the disk.") from None
    say("The document is written.")


def _summarise_prediction(data: dict[str, Any]) -> str:
    low, high = data["interval"]
    lines = [
        f"Probability of high Ki-67: {data['probability']:.1%} (95 % interval {low:.1%} to {high:.1%})",
        data["intended_use"],
        *data["applicability"]["reasons"],
    ]
    return "\n".join([*lines, *(f"{name:>16} {value:+.3f}" for name, value in data["contributions"].items())])

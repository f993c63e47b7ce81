"""One case, explained."""

import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from core.cli.case import ViewOptions, read_clinical, read_views
from core.cli.console import DEMO_BUNDLE, AsJson, app, outside_models, print_result, say, writing
from core.errors import InputError, UsageError
from core.private_files import write_private_file

if TYPE_CHECKING:
    from core.documents.render import Form, Paper
    from core.inference import Case, Prediction
    from models.bundle import Bundle

FORMS: dict[str, "Form"] = {".pdf": "pdf", ".html": "html"}


@app.command()
def predict(  # noqa: PLR0913, PLR0917 - options of a command
    images: Annotated[
        list[Path], typer.Argument(help="DICOM, PNG, JPEG, BMP or TIFF; several are views of one lesion.")
    ],
    clinical: Annotated[Path | None, typer.Option(help="JSON file: field to value.")] = None,
    roi: Annotated[
        list[str] | None, typer.Option(help="Lesion box X0,Y0,X1,Y1 in pixels of the image, or auto; once an image.")
    ] = None,
    plane: Annotated[
        list[str] | None, typer.Option(help="transverse, longitudinal or other; once an image. Stated, not used.")
    ] = None,
    bundle: Annotated[Path, typer.Option(help="Folder of the bundle.")] = DEMO_BUNDLE,
    frame: Annotated[list[int] | None, typer.Option(help="Frame of a loop, from 0; once an image.")] = None,
    region: Annotated[
        list[int] | None, typer.Option(help="B-mode region, from 0, where the file has several; once an image.")
    ] = None,
    engine: Annotated[str | None, typer.Option(help="auto, cuda, openvino or torch; else the setting.")] = None,
    precision: Annotated[str | None, typer.Option(help="fp32, bf16, or fp16 on a GPU.")] = None,
    document: Annotated[
        Path | None, typer.Option(help="Write the document too: FILE.pdf or FILE.html.", callback=outside_models)
    ] = None,
    paper: Annotated[Literal["a4", "letter"], typer.Option(help="Paper of the document.")] = "a4",
    as_json: AsJson = False,
) -> None:
    """Estimate the probability of high Ki-67 from one or several views of a lesion, and explain it."""
    if document is not None and document.suffix.lower() not in FORMS:
        raise UsageError("--document takes a file that ends in .pdf or .html.")
    known, side = read_clinical(clinical)
    views, _ = read_views(images, ViewOptions(roi or (), frame or (), region or (), plane or ()))
    from core.imaging.side import list_sides, settle_side  # noqa: PLC0415
    from core.inference import Case, Predictor  # noqa: PLC0415
    from core.inference.render import render_case  # noqa: PLC0415

    predictor = Predictor.load(bundle, engine=engine, precision=precision)
    case = Case(views, known, side)
    if side:
        settle_side(list_sides(view.frame for view in views), side)
    prediction = predictor.predict(case)
    if prediction.applicability.status == "refused":
        raise InputError("No estimate: " + " ".join(prediction.applicability.reasons))
    if document is not None:
        _write_document(document, paper, case, prediction, predictor.bundle)
    print_result(render_case(case, prediction, predictor.bundle), as_json, _summarise_prediction)


def _write_document(path: Path, paper: "Paper", case: "Case", prediction: "Prediction", bundle: "Bundle") -> None:
    from core.documents.collect_case import collect_case  # noqa: PLC0415
    from core.documents.render import render_patient_document  # noqa: PLC0415

    now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    content = collect_case(case, prediction, bundle, created_utc=now)
    with writing("--document"):
        write_private_file(path, render_patient_document(content, paper=paper, form=FORMS[path.suffix.lower()]))
    say("The document is written.")


def _summarise_prediction(data: dict[str, Any]) -> str:
    low, high = (100 * limit for limit in data["interval"])
    lines = [
        f"Probability of high Ki-67: {100 * data['probability']:.1f} % (95 % interval {low:.1f} to {high:.1f} %)",
        data["intended_use"],
        *data["applicability"]["reasons"],
        *(
            f"View {i}: {100 * view['probability']:.1f} % alone"
            for i, view in enumerate(data.get("views", ()), start=1)
        ),
    ]
    return "\n".join([*lines, *(f"{name:>16} {value:+.3f}" for name, value in data["contributions"].items())])

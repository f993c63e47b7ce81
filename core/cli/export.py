"""One case's results as DICOM files."""

from pathlib import Path
from typing import Annotated

import typer

from core.cli.case import ViewOptions, read_clinical, read_views
from core.cli.console import DEMO_BUNDLE, Out, app, say, writing
from core.errors import InputError
from core.private_files import make_private_folder, write_private_file

NAMED = "They belong to the source's study and hold what identifies its patient."
PSEUDONYMOUS = "They form a new study with a pseudonym."


@app.command()
def export(
    images: Annotated[
        list[Path],
        typer.Argument(help="DICOM, several as views of one lesion; other images open a new study with a pseudonym."),
    ],
    out: Out,
    clinical: Annotated[Path | None, typer.Option(help="JSON file: field to value.")] = None,
    roi: Annotated[
        list[str] | None, typer.Option(help="Lesion box X0,Y0,X1,Y1 in pixels of the image, or auto; once an image.")
    ] = None,
    pdf: Annotated[Path | None, typer.Option(help="PDF to file; by default the case's own document.")] = None,
    bundle: Annotated[Path, typer.Option(help="Folder of the bundle.")] = DEMO_BUNDLE,
    frame: Annotated[list[int] | None, typer.Option(help="Frame of a loop, from 0; once an image.")] = None,
    region: Annotated[
        list[int] | None, typer.Option(help="B-mode region, from 0, where the file has several; once an image.")
    ] = None,
) -> None:
    """Estimate one case, and write sc.dcm, sr.dcm, pr.dcm and report.dcm; they name the source's patient."""
    from core.archive.dicom_objects.export import export_case  # noqa: PLC0415
    from core.documents.collect_results import collect_results  # noqa: PLC0415
    from core.imaging.decoding.formats import detect_format  # noqa: PLC0415
    from core.inference import Case, Predictor  # noqa: PLC0415
    from core.inference.lesion_finder import LesionFinder  # noqa: PLC0415

    document, (known, side) = _read_document(pdf), read_clinical(clinical)
    views, data = read_views(images, ViewOptions(roi or (), frame or (), region or ()))
    predictor = Predictor.load(bundle)
    case = Case(views, known, side)
    prediction = predictor.predict(case)
    if prediction.applicability.status == "refused":
        raise InputError("No estimate: " + " ".join(prediction.applicability.reasons))
    finder = LesionFinder.load()
    results = collect_results(
        case,
        prediction,
        predictor.bundle,
        document=document,
        lesions=[finder.find(view.frame) for view in views],
    )
    files = export_case(results, data)
    _write(files, out)
    is_named = detect_format(data[0]) == "DICOM"
    say(f"Written: {', '.join(files)}. {NAMED if is_named else PSEUDONYMOUS}")


def _read_document(path: Path | None) -> bytes | None:
    if path is None:
        return None
    try:
        return path.read_bytes()
    except OSError:
        raise InputError("The PDF is not there; check the path of --pdf.") from None


def _write(files: dict[str, bytes], out: Path) -> None:
    with writing("--out", "folder"):
        if not out.exists():
            make_private_folder(out)
        for name, data in files.items():
            write_private_file(out / name, data)

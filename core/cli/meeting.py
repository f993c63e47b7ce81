"""The document of a meeting, from a manifest and the board's entries."""

import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from core.cli.console import DEMO_BUNDLE, app, outside_models, say, writing
from core.errors import AppError, InputError, UsageError
from core.private_files import write_private_file

if TYPE_CHECKING:
    from core.documents.render import PatientContent
    from core.inference.predictor import Predictor
    from core.register.store import Store


@app.command()
def meeting(
    manifest: Annotated[Path, typer.Argument(help="CSV or XLSX, one row per image, as for score.")],
    *,
    out: Annotated[Path, typer.Option(help="FILE.pdf or FILE.html.", callback=outside_models)],
    patients: Annotated[str, typer.Option(help="Pseudonyms in the board's order, P-1,P-2; else all.")] = "",
    title: Annotated[str, typer.Option(help="Name of the meeting.")] = "Tumour board",
    paper: Annotated[Literal["a4", "letter"], typer.Option(help="Paper.")] = "a4",
    database: Annotated[str, typer.Option(help="The board's database; else that of the setting.")] = "",
    bundle: Annotated[Path, typer.Option(help="Folder of the bundle.")] = DEMO_BUNDLE,
) -> None:
    """Write the document of a meeting: its list, then each patient with estimate, decisions and notes."""
    forms: dict[str, Literal["pdf", "html"]] = {".pdf": "pdf", ".html": "html"}
    if out.suffix.lower() not in forms:
        raise UsageError("--out takes a file that ends in .pdf or .html.")
    from core.documents.collect_case import collect_meeting  # noqa: PLC0415
    from core.documents.render import render_meeting_document  # noqa: PLC0415
    from core.inference.predictor import Predictor  # noqa: PLC0415
    from core.register.database import find_database  # noqa: PLC0415
    from core.register.store import Store  # noqa: PLC0415

    rows = _choose_rows(manifest, [name.strip() for name in patients.split(",") if name.strip()])
    predictor, store = Predictor.load(bundle), Store(database or find_database())
    now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    contents = tuple(_collect(images, predictor, store, now) for images in rows)
    last_entry = str(store.read_anchor())
    store.close()
    document = collect_meeting(title, contents, held_on=now[:10], created_utc=now, last_entry=last_entry)
    with writing("--out"):
        write_private_file(out, render_meeting_document(document, paper=paper, form=forms[out.suffix.lower()]))
    say(f"The document of {len(contents)} patients is written.")


def _choose_rows(manifest: Path, names: list[str]) -> list[list[dict[str, object]]]:
    """Give the rows of each patient, in the order of the names."""
    from core.cohort.manifest import read_rows  # noqa: PLC0415

    read, reading = read_rows(manifest)
    for number, reason in reading.refused:
        say(f"  row {number}: {reason}")
    rows: dict[str, list[dict[str, object]]] = {}
    for row in read:
        rows.setdefault(str(row["patient_id"]), []).append(row)
    missing = [name for name in names if name not in rows]
    if missing or not rows:
        raise InputError(
            f"{len(missing) or 'All'} of the patients are not in the manifest, or their rows can't be used."
        )
    return [rows[name] for name in names or rows]


def _collect(rows: list[dict[str, object]], predictor: "Predictor", store: "Store", now: str) -> "PatientContent":
    """Collect one patient; entries belong to the patient by the pixels that the model read, not by the name alone."""
    from core.cohort.scoring.local import read_case  # noqa: PLC0415
    from core.documents.collect_board import collect_board, name_register_entry  # noqa: PLC0415
    from core.inference.prediction import drop_refused  # noqa: PLC0415
    from core.register.estimates import BoardEstimate  # noqa: PLC0415
    from core.register.listing import find_entry  # noqa: PLC0415
    from core.register.models import WITHHELD  # noqa: PLC0415

    try:
        case = read_case(rows, predictor.find_lesions)
        case, readings = drop_refused(case, predictor.read_images([(view.frame, view.roi) for view in case.views]))
        read = BoardEstimate(case, predictor.predict(case, readings))
    except AppError as error:
        read = BoardEstimate(None, None, str(error))
    row = rows[0]
    seen = read.prediction.input_sha256 if read.prediction is not None else ""
    records = [r for r in store.read(str(row["patient_id"])) if r.kind == WITHHELD or (seen and r.input_sha256 == seen)]
    bundle = predictor.bundle
    content = collect_board(row, read, bundle, records, simulated=bundle.is_simulated, created_utc=now)
    return name_register_entry(content, partial(find_entry, store))

"""A cohort of one's own: DICOM files and a workbook to pseudonymised B-mode stills and a manifest."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from core.cli.console import AsJson, Out, app, print_result, progress_bar, say, writing
from core.cli.pseudonym_key import KeyFile, take_key
from core.cli.table_options import keep_refused, with_table_options
from core.errors import WorkError

if TYPE_CHECKING:
    import pandas as pd

    from core.cohort import Choices

LOOK = "Look at the images before they are passed on: what was not recognised as a word is still there."
SHOWN_REASONS = 20


@app.command()
@with_table_options
def collect(
    folder: Annotated[Path, typer.Argument(help="Folder of DICOM files: loose, in folders, with a DICOMDIR, zipped.")],
    table: Annotated[Path, typer.Option("--table", help="Workbook of the patients: CSV, Excel, ODS or Parquet.")],
    out: Out,
    key: KeyFile = None,
    centre: Annotated[str, typer.Option(help="Centre of all patients, where the table has no column for it.")] = "A",
    as_json: AsJson = False,
    *,
    choices: "Choices",
    refused: Path | None,
) -> None:
    """Pair DICOM files with a workbook's patients: pseudonymised B-mode stills, and a manifest to train on.

    Files are paired by patient id and, where the table gives them, by date of the examination and accession number.
    What does not fit is named in refused.csv with its reason; a stopped run goes on.
    """
    from core.cohort.collecting.collect import CollectPlan, collect_cohort  # noqa: PLC0415
    from core.spreadsheet import render_csv  # noqa: PLC0415

    secret, replaced = take_key(key)
    with keep_refused(refused), progress_bar("files") as progress:
        plan = CollectPlan(secret, choices, centre, replaced.add, replaced.take, progress)
        try:
            found = collect_cohort(folder, table, out, plan)
        except KeyboardInterrupt:
            raise WorkError("Stopped. What is done is kept: the same command goes on.") from None
    if refused is not None:
        with writing("--refused"):
            refused.parent.mkdir(parents=True, exist_ok=True)
            refused.write_bytes(render_csv(found.refused))
    for note in found.notes:
        say(note)
    for line in _count_reasons(found.refused):
        say(line)
    say(f"Words were blackened in {found.hidden} of the images copied now. {LOOK}")
    print_result(
        {
            "manifest": str(found.manifest),
            "patients": found.patients,
            "images": found.images,
            "files": found.files,
            "files_refused": int((found.refused["file"] != "").sum()),
            "rows": found.reading.rows,
            "rows_used": found.rows_used,
            "rows_refused": int((found.refused["row"] != "").sum()),
        },
        as_json,
        _summarise,
    )


def _count_reasons(refused: "pd.DataFrame") -> list[str]:
    """Count rows and files by reason, the most frequent first; what a reason names of one row or file is left out."""
    from core.cohort.collecting.collect import simplify_refusal  # noqa: PLC0415

    lines = []
    for kind in ("row", "file"):
        counts = refused.loc[refused[kind] != "", "reason"].map(simplify_refusal).value_counts()
        lines += [f"  {count} {kind}{'s' * (count > 1)}: {reason}" for reason, count in counts[:SHOWN_REASONS].items()]
        if len(counts) > SHOWN_REASONS:
            lines.append(f"  and {counts[SHOWN_REASONS:].sum()} more {kind}s; refused.csv lists all")
    return lines


def _summarise(data: dict[str, object]) -> str:
    return (
        f"{data['manifest']}: {data['images']} images of {data['patients']} patients. "
        f"Files: {data['files']}, {data['images']} used, {data['files_refused']} named. "
        f"Rows: {data['rows']}, {data['rows_used']} used, {data['rows_refused']} named."
    )

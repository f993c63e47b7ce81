"""A DICOM copy that names nobody."""

from pathlib import Path
from typing import Annotated

import typer

from core.cli.console import app, read_bytes, say
from core.errors import UsageError


@app.command()
def deidentify(
    image: Annotated[Path, typer.Argument(help="Ultrasound DICOM file.")],
    out: Annotated[Path, typer.Option("--out", help="File to write.")],
) -> None:
    """Write a DICOM copy that names nobody: header cleaned, pixels outside the B-mode area black."""
    from core.imaging import deidentify as write_copy  # noqa: PLC0415

    if out.exists():
        raise UsageError("The file of --out is there already; give another name.")
    out.write_bytes(write_copy(read_bytes(image)))
    say("Written. Words burned into the B-mode area itself stay: look at the image before it is passed on.")

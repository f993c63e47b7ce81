"""Results to the archive."""

from pathlib import Path
from typing import Annotated

import typer

from core.cli.console import AsJson, app, print_result, progress_bar, say
from core.errors import ArchiveError, InputError


@app.command()
def send(
    files: Annotated[list[Path] | None, typer.Argument(help="DICOM files of `export`; none: what waits.")] = None,
    as_json: AsJson = False,
) -> None:
    """Send results to the archive; what it does not take is kept and sent the next time."""
    from core.archive.dicomweb.client import open_archive  # noqa: PLC0415
    from core.archive.outbox import open_outbox  # noqa: PLC0415

    archive, outbox = open_archive(), open_outbox()
    refused = 0
    for path in files or []:
        try:
            outbox.put([_read(path)])
        except InputError as error:
            say(f"{path.name}: {error}")
            refused += 1
    with progress_bar("results") as progress:
        delivery = outbox.send(archive, progress)
    print_result({"sent": delivery.sent, "waiting": delivery.waiting, "reason": delivery.reason}, as_json, _summarise)
    if delivery.waiting:
        raise ArchiveError(delivery.describe())
    if refused:
        raise InputError(f"{refused} of {len(files or [])} files are not results to send: each is named above.")


def _read(path: Path) -> bytes:
    try:
        data = path.read_bytes()
    except OSError:
        raise InputError("The file is not there; check its path.") from None
    if data[128:132] != b"DICM":
        raise InputError("The file is not a DICOM file. Send what `python -m core export` wrote.")
    return data


def _summarise(data: dict[str, object]) -> str:
    return f"sent {data['sent']}, waiting {data['waiting']}"

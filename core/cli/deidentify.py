"""DICOM copies that name nobody: one file, or all of a folder."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from core.cli.console import app, outside_models, progress_bar, read_bytes, say
from core.cli.pseudonym_key import KeyFile, ReplacedList, take_key
from core.errors import ImageError, InputError, UsageError, WorkError
from core.imaging import CleanedFile, Roi
from core.private_files import make_private_folder, write_private_file

LOOK = (
    "Look at the copy before it is passed on: faint writing may be left, so it says BurnedInAnnotation YES. "
    "Where nobody is named in it, make it again with --reviewed."
)
REVIEWED = "BurnedInAnnotation is NO, on your word that you looked."


@app.command()
def deidentify(
    source: Annotated[Path, typer.Argument(help="Ultrasound DICOM file, or a folder of them.")],
    out: Annotated[
        Path,
        typer.Option("--out", help="File to write; for a folder, the folder to write to.", callback=outside_models),
    ],
    key: KeyFile = None,
    reviewed: Annotated[
        bool, typer.Option("--reviewed", help="You have looked at every copy, and nobody is named in its picture.")
    ] = False,
) -> None:
    """Write DICOM copies that name nobody: header cleaned, words and all outside the B-mode area black.

    The same key gives the same pseudonyms and UIDs; the index of a folder (DICOMDIR) is left out. Beside the key, a
    list tells its keeper what was replaced.
    """
    if not source.exists():
        raise InputError("The file or folder to copy is not there; check the path.")
    if out.exists() and not (source.is_dir() and out.is_dir() and not any(out.iterdir())):
        raise UsageError("The file or folder of --out is there already; give another name.")
    if not out.parent.is_dir():
        raise UsageError("The folder that --out lies in is not there; make it first.")
    secret, replaced = take_key(key)
    clean = partial(_clean, secret=secret, replaced=replaced, is_reviewed=reviewed)
    if source.is_dir():
        _copy_folder(source, out, clean)
    else:
        copy = clean(source)
        _write(copy, out)
        say(f"Written. {describe_copy(copy)} {_close(copy)}")


def describe_copy(copy: CleanedFile) -> str:
    """Name the areas that were blackened for words, and those of coloured flow that were kept."""
    words = (
        f"Words within the image were blackened ({_list_places(copy.hidden)})."
        if copy.hidden
        else "No words were found within the image."
    )
    flow = f" Coloured flow was kept ({_list_places(copy.flow)}): look for letters of its colours there."
    return words + flow * bool(copy.flow)


def _close(copy: CleanedFile) -> str:
    """Ask the user to look, at each copy."""
    return REVIEWED if copy.is_reviewed else LOOK


def _list_places(boxes: tuple[Roi, ...]) -> str:
    places = "; ".join(f"{b.x0:.0f},{b.y0:.0f} to {b.x1:.0f},{b.y1:.0f}" for b in boxes)
    return f"{len(boxes)} area{'s' * (len(boxes) > 1)}, in pixels: {places}"


def _copy_folder(source: Path, out: Path, clean: Callable[[Path], CleanedFile]) -> None:
    """Copy what can be copied, name what can't, and end with one summary."""
    files = [path for path in sorted(source.rglob("*")) if path.is_file() and path.name.upper() != "DICOMDIR"]
    written, refused = 0, []
    with progress_bar("file") as update:
        for done, path in enumerate(files, start=1):
            try:
                copy = clean(path)
                _write(copy, _place(copy, out))
            except (InputError, OSError) as error:
                refused.append(
                    f"{path.relative_to(source)}: {error if isinstance(error, InputError) else 'unreadable'}"
                )
            else:
                written += 1
                say(f"{path.relative_to(source)}: {describe_copy(copy)} {_close(copy)}")
            update(done, len(files))
    for line in refused:
        say(line)
    say(f"{written} of {len(files)} files copied, {len(refused)} refused.")
    if refused or not written:
        raise ImageError("Not every file could be copied: each is named above with its reason.")


def _clean(path: Path, *, secret: bytes, replaced: ReplacedList, is_reviewed: bool) -> CleanedFile:
    from core.imaging import deidentify as write_copy  # noqa: PLC0415

    copy = write_copy(read_bytes(path), secret, is_reviewed=is_reviewed)
    replaced.take(copy)
    return copy


def _place(copy: CleanedFile, out: Path) -> Path:
    """Give a copy's file in the folders of its patient and study."""
    names = {name: new for name, (_, new) in copy.replaced.items()}
    folder = out / names["PatientID"] / names["StudyInstanceUID"]
    make_private_folder(folder)
    return folder / f"{names['SOPInstanceUID']}.dcm"


def _write(copy: CleanedFile, path: Path) -> None:
    """Write a copy; where another image has its UID already, neither is lost in silence."""
    if path.exists() and path.read_bytes() != copy.data:
        raise InputError("Another file of the folder, with another image, has the same SOP instance UID: not copied.")
    try:
        write_private_file(path, copy.data)
    except OSError:
        raise WorkError("The copy can't be written. Check the path of --out and the disk.") from None

"""DICOM copies that name nobody: one file, or all of a folder."""

import csv
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from core.cli.console import app, progress_bar, read_bytes, say
from core.errors import ImageError, InputError, UsageError, WorkError
from core.imaging import CleanedFile, Roi
from core.private_files import find_config_folder, make_private_file, make_private_folder
from core.spreadsheet import disarm, restore

KEY_BYTES = 32
LIST = ".csv"
LOOK = "Look at each copy before it is passed on: what was not recognised as a word is still there."


@app.command()
def deidentify(
    source: Annotated[Path, typer.Argument(help="Ultrasound DICOM file, or a folder of them.")],
    out: Annotated[Path, typer.Option("--out", help="File to write; for a folder, the folder to write to.")],
    key: Annotated[
        Path | None,
        typer.Option(help="File with the key of the new names; made where there is none. By default your own."),
    ] = None,
) -> None:
    """Write DICOM copies that name nobody: header cleaned, words and all outside the B-mode area black.

    The same key gives the same pseudonyms and UIDs; the index of a folder (DICOMDIR) is left out. Beside the key, a
    list tells its keeper what was replaced.
    """
    if not source.exists():
        raise InputError("The file or folder to copy is not there; check the path.")
    if out.exists() and not (source.is_dir() and out.is_dir() and not any(out.iterdir())):
        raise UsageError("The file or folder of --out is there already; give another name.")
    key_file = key or find_config_folder() / "deidentify.key"
    _check_places(out, key_file)
    secret = read_key(key_file)
    if source.is_dir():
        _copy_folder(source, out, secret, key_file)
    else:
        copy = _clean(source, secret, key_file)
        _write(copy, out)
        say(f"Written. {describe_copy(copy)} {LOOK}")


def _check_places(out: Path, key_file: Path) -> None:
    if not out.parent.is_dir():
        raise UsageError("The folder that --out lies in is not there; make it first.")
    if not key_file.parent.is_dir() and key_file.parent != find_config_folder():
        raise UsageError("The folder that --key lies in is not there; make it first.")
    if key_file.suffix.lower() == LIST:
        raise UsageError(f"The list of what was replaced ends in {LIST}; give --key a name with another ending.")


def read_key(path: Path) -> bytes:
    """Read the key of the new names, or make one."""
    if not path.exists():
        if path.parent == find_config_folder():
            make_private_folder(path.parent)
        make_private_file(path)
        path.write_text(secrets.token_hex(KEY_BYTES) + "\n", encoding="ascii")
    try:
        key = bytes.fromhex(path.read_text(encoding="ascii").strip())
    except (OSError, ValueError):
        key = b""
    if len(key) != KEY_BYTES:
        raise UsageError("The file of --key holds no key: give one that this command has made, or a new name.")
    return key


def describe_copy(copy: CleanedFile) -> str:
    """Name the areas that were blackened for words, and those of coloured flow that were kept."""
    words = (
        f"Words within the image were blackened ({_list_places(copy.hidden)})."
        if copy.hidden
        else "No words were found within the image."
    )
    flow = f" Coloured flow was kept ({_list_places(copy.flow)}): look for letters of its colours there."
    return words + flow * bool(copy.flow)


def _list_places(boxes: tuple[Roi, ...]) -> str:
    places = "; ".join(f"{b.x0:.0f},{b.y0:.0f} to {b.x1:.0f},{b.y1:.0f}" for b in boxes)
    return f"{len(boxes)} area{'s' * (len(boxes) > 1)}, in pixels: {places}"


def _copy_folder(source: Path, out: Path, secret: bytes, key_file: Path) -> None:
    """Copy what can be copied, name what can't, and end with one summary."""
    files = [path for path in sorted(source.rglob("*")) if path.is_file() and path.name.upper() != "DICOMDIR"]
    written, refused = 0, []
    with progress_bar("file") as update:
        for done, path in enumerate(files, start=1):
            try:
                copy = _clean(path, secret, key_file)
                _write(copy, _place(copy, out))
            except (InputError, OSError) as error:
                refused.append(
                    f"{path.relative_to(source)}: {error if isinstance(error, InputError) else 'unreadable'}"
                )
            else:
                written += 1
                if copy.hidden or copy.flow:
                    say(f"{path.relative_to(source)}: {describe_copy(copy)}")
            update(done, len(files))
    for line in refused:
        say(line)
    say(f"{written} of {len(files)} files copied, {len(refused)} refused. {LOOK}")
    if refused or not written:
        raise ImageError("Not every file could be copied: each is named above with its reason.")


def _clean(path: Path, secret: bytes, key_file: Path) -> CleanedFile:
    from core.imaging import deidentify as write_copy  # noqa: PLC0415

    copy = write_copy(read_bytes(path), secret)
    _note_replaced(copy, key_file.with_suffix(LIST))
    return copy


def _place(copy: CleanedFile, out: Path) -> Path:
    """Give a copy's file in the folders of its patient and study."""
    names = {name: new for name, (_, new) in copy.replaced.items()}
    folder = out / names["PatientID"] / names["StudyInstanceUID"]
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{names['SOPInstanceUID']}.dcm"


def _write(copy: CleanedFile, path: Path) -> None:
    """Write a copy; where another image has its UID already, neither is lost in silence."""
    if path.exists() and path.read_bytes() != copy.data:
        raise InputError("Another file of the folder, with another image, has the same SOP instance UID: not copied.")
    try:
        path.write_bytes(copy.data)
    except OSError:
        raise WorkError("The copy can't be written. Check the path of --out and the disk.") from None


def _note_replaced(copy: CleanedFile, path: Path) -> None:
    """Add to the list of old and new values, for the keeper of the key alone."""
    known = set(_read_list(path))
    make_private_file(path)
    with path.open("a", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        for name, (old, new) in copy.replaced.items():
            if (name, old, new) not in known:
                writer.writerow((name, disarm(old), new))


def _read_list(path: Path) -> Iterator[tuple[str, ...]]:
    if path.exists():
        with path.open(encoding="utf-8", newline="") as stream:
            yield from (tuple(map(restore, row)) for row in csv.reader(stream))

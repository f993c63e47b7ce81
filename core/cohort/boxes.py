"""The lesion boxes that readers draw, kept in the manifest: each reader's in a column of their own, saved at once.

The column `box`, which training reads, holds the box of the first reader who drew one; what stood in it before stays in
the column `box_given` and counts last.
"""

import csv
import fcntl
import os
import re
import stat
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from core.cohort.box_column import parse_box
from core.cohort.columns import match_columns
from core.cohort.manifest import find_image
from core.cohort.record import Choices
from core.errors import InputError, TableError, UsageError, WorkError, name_cause
from core.imaging import Roi
from core.spreadsheet import render_csv
from core.tabular import TextTable, read_bytes, read_table

COLUMN, GIVEN, SKIPPED = "box_", "given", "skipped"
LONGEST = 40
HEAD = 1 << 16
CHANGED = "The manifest was changed elsewhere meanwhile. Open it again."
NOT_CSV = "Boxes are kept in a CSV file: save the table as CSV first."
UNFIT = "{count} rows of the manifest do not fit its header. Correct them first: saving a box must lose nothing."
NAMELESS = "A column of the manifest holds values under no name. Name or delete it first."


@dataclass(frozen=True)
class BoxRow:
    """An image of the manifest."""

    # patient, image: as the manifest names them
    patient: str
    image: str
    boxes: Mapping[str, Roi | None]  # reader to box in pixels of the source image; None where the reader skipped it


@dataclass(frozen=True)
class BoxManifest:
    """A manifest with the boxes of its readers."""

    path: Path  # CSV file
    rows: tuple[BoxRow, ...]  # one an image, in the file's order
    readers: tuple[str, ...]  # who drew, in the order in which their boxes count

    def find_image(self, place: int) -> Path:
        """Give the file of an image, which lies in the manifest's folder; a `TableError` where it is not there."""
        return find_image(self.rows[place].image, self.path.parent, confined=True)

    def list_open(self, reader: str) -> list[int]:
        """List the places of the images that a reader has neither boxed nor skipped."""
        return [place for place, row in enumerate(self.rows) if reader not in row.boxes]

    def count(self, reader: str) -> tuple[int, int]:
        """Count the images that a reader has done, and those of them that were skipped."""
        done = [row.boxes[reader] for row in self.rows if reader in row.boxes]
        return len(done), sum(box is None for box in done)


def list_manifests(folder: Path) -> list[Path]:
    """List the CSV files of a folder, and of the folders in it, that have patients and images."""
    paths = sorted({*folder.glob("*.csv"), *folder.glob("*/*.csv")})
    return [path for path in paths if path.resolve().is_relative_to(folder.resolve()) and _has_images(path)]


def _has_images(path: Path) -> bool:
    try:
        with path.open("rb") as stream:
            head = stream.read(HEAD).decode("utf-8-sig", "replace").splitlines()[:1]
        dialect = csv.Sniffer().sniff(head[0], ",;\t|") if head else csv.excel
        header = next(csv.reader(head, dialect), [])
        found = match_columns(header, ("patient_id", "image"), Choices()).positions
    except (OSError, csv.Error, InputError):
        return False
    return len(found) == 2


def check_reader(name: str) -> str:
    """Give a reader's name as a column can have it."""
    reader = re.sub(r"\W+", "_", name.strip()).strip("_")[:LONGEST]
    if not reader or reader.casefold() == GIVEN:
        raise UsageError("Give your initials, in letters: your boxes are kept under them.")
    return reader


def read_boxes(path: Path) -> BoxManifest:
    """Read a manifest's images and boxes; only a CSV file that can be written again without loss is taken."""
    return _read(_Sheet.read(path))


def render_boxes(manifest: BoxManifest) -> bytes:
    """Give the manifest as it stands in its file now; a formula in a stranger's cell runs in no spreadsheet."""
    return _Sheet.read(manifest.path).render()


def save_box(manifest: BoxManifest, place: int, reader: str, box: Roi | None) -> BoxManifest:
    """Save a reader's box, in pixels of the source image, of the image at a place (from 0); None where it was skipped.

    What others saved meanwhile is kept. A TableError where the file no longer holds the image at this place, a
    WorkError where it can't be written.
    """
    path = manifest.path
    try:
        with _lock(path):
            sheet = _Sheet.read(path)
            before = manifest.rows[place]
            if sheet.name_row(place) != (before.patient, before.image):
                raise TableError(CHANGED)
            sheet.set(place, reader, SKIPPED if box is None else _write(box))
            _replace(path, sheet.render())
            return _read(sheet)
    except OSError as error:
        raise WorkError(
            f"The box can't be saved ({name_cause(error)}): the manifest stays as it was. Make room, or "
            "let whoever runs SonoKi check who may write there."
        ) from None


@contextmanager
def _lock(path: Path) -> Iterator[None]:
    """Keep other sessions and servers from writing the manifest."""
    with path.with_name(f".{path.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _replace(path: Path, content: bytes) -> None:
    """Write the file whole or not at all; the one from before the first box stays beside it."""
    first = path.with_name(f"{path.name}.before_boxes")
    if not first.exists():
        _write_like(path, first, path.read_bytes())
    partial = path.with_name(f".{path.name}.part")
    _write_like(path, partial, content)
    partial.replace(path)


def _write_like(path: Path, other: Path, content: bytes) -> None:
    """Write another file that opens to nobody to whom the first one does not."""
    mode = stat.S_IMODE(path.stat().st_mode)
    with os.fdopen(os.open(other, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())


class _Sheet:
    """The cells of a manifest as text, to be written again."""

    def __init__(self, table: TextTable, path: Path) -> None:
        self.path = path
        self.cells = {name: column.to_pylist() for name, column in zip(table.header, table.columns, strict=True)}
        match = match_columns(table.header, ("patient_id", "image", "box"), Choices())
        if not {"patient_id", "image"} <= match.positions.keys() or "box" in match.doubtful:
            raise TableError("The manifest needs one column each for patient_id and image, and at most one for box.")
        if len(self.cells) < len(table.header):
            doubled = next(name for name, count in Counter(table.header).items() if count > 1)
            raise TableError(f"The manifest has two columns '{doubled[:40]}'. Rename or delete one.")
        named = {field: table.header[position] for field, position in match.positions.items()}
        self.patient, self.image, self.box = named["patient_id"], named["image"], named.get("box", "box")

    @classmethod
    def read(cls, path: Path) -> "_Sheet":
        if path.suffix.lower() != ".csv":
            raise TableError(NOT_CSV)
        table = read_table(read_bytes(path))
        if table.refused:
            raise TableError(UNFIT.format(count=len(table.refused)), table.refused)
        if any("no name stands above" in note for note in table.notes):
            raise TableError(NAMELESS)
        return cls(table, path)

    @property
    def readers(self) -> tuple[str, ...]:
        """Who drew, what was given before them last."""
        own = [name[len(COLUMN) :] for name in self.cells if name.startswith(COLUMN)]
        return (*(name for name in own if name != GIVEN), *(name for name in own if name == GIVEN))

    def name_row(self, place: int) -> tuple[str, str] | None:
        """Give patient and image of a row; None where there is no such row."""
        names = self.cells[self.patient], self.cells[self.image]
        return (names[0][place], names[1][place]) if place < len(names[0]) else None

    def set(self, place: int, reader: str, text: str) -> None:
        """Put a reader's cell, and the box that training reads."""
        empty = [""] * len(self.cells[self.image])
        if not self.readers and any(self.cells.get(self.box, ())):
            self.cells[COLUMN + GIVEN] = list(self.cells[self.box])
        self.cells.setdefault(COLUMN + reader, list(empty))[place] = text
        boxes = [self.cells[COLUMN + name][place] for name in self.readers]
        self.cells.setdefault(self.box, list(empty))[place] = next((b for b in boxes if b not in {"", SKIPPED}), "")

    def render(self) -> bytes:
        """Write the cells as CSV."""
        return render_csv(pd.DataFrame(self.cells))


def _read(sheet: _Sheet) -> BoxManifest:
    readers = sheet.readers
    columns = {reader: sheet.cells[COLUMN + reader] for reader in readers}
    if not readers and any(sheet.cells.get(sheet.box, ())):
        readers, columns = (GIVEN,), {GIVEN: sheet.cells[sheet.box]}
    rows = tuple(
        BoxRow(patient, image, _read_row(columns, place))
        for place, (patient, image) in enumerate(zip(sheet.cells[sheet.patient], sheet.cells[sheet.image], strict=True))
    )
    return BoxManifest(sheet.path, rows, readers)


def _read_row(columns: Mapping[str, Sequence[str]], place: int) -> dict[str, Roi | None]:
    """Read the boxes of an image; a cell that is no box is none."""
    found: dict[str, Roi | None] = {}
    for reader, cells in columns.items():
        if cells[place] == SKIPPED:
            found[reader] = None
            continue
        try:
            edges = parse_box(cells[place])
        except TableError:
            continue
        if edges is not None:
            found[reader] = Roi(*edges)
    return found


def _write(box: Roi) -> str:
    return ",".join(f"{edge:g}" for edge in (box.x0, box.y0, box.x1, box.y1))

"""Workbooks with broken parts, read as the process reads them: `python -m tests.core.tabular.fuzz 2000`.

Each is a good workbook of which a zip entry's XML, or the packed bytes, were changed at random. What is read goes on to
the reader of prediction tables. Anything but a table or a `TableError` is a failure.
"""

import io
import random
import sys
import traceback
import zipfile
from collections import Counter

from core.cohort import predictions, reading
from core.errors import TableError
from core.tabular.apart import DONE, answer
from core.tabular.child import read_packed
from core.tabular.formats import SENTENCES
from core.tabular.table import unpack_table
from tests.core.tabular.workbooks import SHEET, replace_parts, write_ods, write_ods_row, write_workbook

XLSX = (SHEET, "xl/styles.xml", "xl/workbook.xml", "xl/_rels/workbook.xml.rels", "[Content_Types].xml")
ODS = ("content.xml", "content.xml", "mimetype")
HEADER = ("patient_id", "centre", "ki67_pct", "prob", "rfs_months", "rfs_event")
CELL = "<table:table-cell office:value-type='{}' office:value='{}' {}><text:p>{}</text:p></table:table-cell>"
ODS_SHARE = 0.25
TOKENS = (
    b"<",
    b">",
    b'"',
    b"&#0;",
    b"&amp;",
    b"<c/>",
    b"<row/>",
    b'r="XFE9"',
    b's="999"',
    b't="s"',
    b"-1",
    b"1e999",
    b"\x00",
)


def make_ods(rng: random.Random) -> bytes:
    rows = write_ods_row(*HEADER)
    for i in range(30):
        centre = (
            CELL.format("string", "", "table:number-rows-spanned='2'", "N") if i % 2 else "<table:covered-table-cell/>"
        )
        numbers = rng.randint(1, 90), rng.random(), rng.randint(1, 90), i % 2
        kinds = "percentage", "float", "float", "float"
        cells = [CELL.format(kind, number, "", number) for kind, number in zip(kinds, numbers, strict=True)]
        rows += write_ods_row(CELL.format("float", i, "", f"{i:05d}"), centre, *cells)
    return write_ods(rows)


def make_good(rng: random.Random) -> bytes:
    rows = [HEADER]
    rows += [[f"P{i}", "NS"[i % 2], rng.randint(1, 90), rng.random(), rng.randint(1, 90), i % 2] for i in range(30)]

    def change(book):
        book.active["C3"].number_format = "0%"
        book.active.merge_cells("B4:B6")
        book.active["E5"] = "=1/2"

    return write_workbook(rows, change)


def spoil(rng: random.Random) -> bytes:
    """Change one part of a good workbook, or its packed bytes."""
    is_ods = rng.random() < ODS_SHARE
    content = make_ods(rng) if is_ods else make_good(rng)
    if rng.random() < 0.3:
        return _damage(content, rng)
    part = rng.choice(ODS if is_ods else XLSX)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        own = archive.read(part)
    return replace_parts(content, {part: _damage(own, rng) or b"<x/>"})


def _damage(data: bytes, rng: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 5))):
        at = rng.randrange(len(changed) + 1)
        kind = rng.randrange(4)
        if kind == 0:
            changed[at:at] = rng.choice(TOKENS)
        elif kind == 1:
            del changed[at : at + rng.randint(1, 60)]
        elif kind == 2:
            changed[at : at + 1] = bytes([rng.randrange(256)])
        else:
            changed[at:at] = changed[at : at + rng.randint(1, 200)]
    return bytes(changed)


def read_here(content: bytes, *, sheet: str = "", encoding: str = ""):
    """Read as the process does, in this one."""
    reply = answer(read_packed, [sheet, encoding], content, SENTENCES)
    if reply[:1] != DONE:
        raise TableError(reply[1:].decode())
    return unpack_table(reply[1:])


def run(count: int, seed: int) -> Counter:
    """Read spoilt workbooks; give the number of each outcome, failures by their traceback."""
    rng, outcomes = random.Random(seed), Counter()
    kept, reading.read_table = reading.read_table, read_here
    try:
        for _ in range(count):
            content = spoil(rng)
            try:
                predictions.read_predictions(content)
                outcomes["read"] += 1
            except TableError:
                outcomes["refused"] += 1
            except Exception:  # noqa: BLE001 - what is looked for
                outcomes[traceback.format_exc()] += 1
    finally:
        reading.read_table = kept
    return outcomes


if __name__ == "__main__":
    for outcome, number in run(int(sys.argv[1]), 20261126).items():
        sys.stdout.write(f"{number} {outcome}\n")

"""A table as it stands in its file: a header and columns of text."""

import json
from dataclasses import dataclass, field, replace

import pyarrow as pa
import pyarrow.compute as pc

from core.errors import TableError
from core.spreadsheet import restore

MAX_BYTES = 100 * 1024 * 1024
MAX_ROWS = 1_000_000
MAX_COLUMNS = 1_000
FORMULA = "\ufdd0"  # stands for a formula whose value is not stored; no file can hold this character as text
HIDDEN = r'^="([^"]*)"$'  # how "00012" is kept from being read as 12
NAMELESS = "{places}: not read, for no name stands above."
TOO_MANY_ROWS = f"The table has more than {MAX_ROWS:,} rows; split it."
TOO_MANY_COLUMNS = f"The table has more than {MAX_COLUMNS:,} columns; delete those that are not needed."


@dataclass(frozen=True, eq=False)
class TextTable:
    """Cells of a table as text, as a person sees them.

    Attributes
    ----------
    header : tuple of str
        Column names as they stand in the file.
    columns : tuple of pyarrow.Array of str
        Cells without surrounding space, one a row that fits the header.
    rows : tuple of int
        Row number in the file of each; the header is row 1, unless other rows come before it.
    refused : tuple of (int, str)
        Rows that do not fit the header, with the reason.
    notes : tuple of str
        How the file was read, where that is not plain.
    sheets : tuple of str
        Sheets of a workbook that may hold a table; the one that was read comes first.
    alike : tuple of str
        Sheets that hold another table of the same columns, where nobody chose one.
    """

    header: tuple[str, ...]
    columns: tuple[pa.Array, ...]
    rows: tuple[int, ...]
    refused: tuple[tuple[int, str], ...] = ()
    notes: tuple[str, ...] = field(default=())
    sheets: tuple[str, ...] = ()
    alike: tuple[str, ...] = ()

    def find(self, name: str) -> pa.Array:
        """Give the cells of the first column of a name."""
        return self.columns[self.header.index(name)]


def build_table(header: list[str], records: list[tuple[int, list[str]]], notes: list[str]) -> TextTable:
    """Check rows against the header and turn them into columns."""
    check_size(header, len(records))
    width = len(header)
    fitting, refused = [], []
    for number, cells in records:
        if len(cells) < width or (len(cells) > width and any(cell.strip() for cell in cells[width:])):
            refused.append((number, f"{len(cells)} cells where the header has {width}"))
        else:
            fitting.append((number, cells))
    columns = tuple(clean_cells(pa.array([cells[i] for _, cells in fitting], pa.string())) for i in range(width))
    names = tuple(restore(name).strip() for name in header)
    return TextTable(names, columns, tuple(number for number, _ in fitting), tuple(refused), tuple(notes))


def check_size(header: list[str], rows: int) -> None:
    """Refuse a table of too many columns or rows."""
    if len(header) > MAX_COLUMNS:
        raise TableError(TOO_MANY_COLUMNS)
    if rows > MAX_ROWS:
        raise TableError(TOO_MANY_ROWS)


def drop_nameless(table: TextTable) -> TextTable:
    """Leave out the columns without a name, and say so of those that hold something."""
    named = [i for i, name in enumerate(table.header) if name]
    if len(named) == len(table.header):
        return table
    nameless = [i for i, name in enumerate(table.header) if not name]
    filled = [str(i + 1) for i in nameless if pc.any(pc.not_equal(table.columns[i], "")).as_py()]
    places = f"{'Column' if len(filled) == 1 else 'Columns'} {', '.join(filled)}"
    notes = [NAMELESS.format(places=places)] if filled else []
    header, columns = tuple(table.header[i] for i in named), tuple(table.columns[i] for i in named)
    return replace(table, header=header, columns=columns, notes=(*table.notes, *notes))


def clean_cells(column: pa.Array) -> pa.Array:
    """Give cells without surrounding space, and without what disarmed them for spreadsheets or hid them from these."""
    if pc.any(pc.match_substring(column, "'")).as_py():
        column = pa.array(map(restore, column.to_pylist()), pa.string())
    column = pc.utf8_trim_whitespace(column)
    if pc.any(pc.starts_with(column, '="')).as_py():
        column = pc.replace_substring_regex(column, pattern=HIDDEN, replacement=r"\1")
    return column


def pack_table(table: TextTable) -> bytes:
    """Write a table as an Arrow stream, to pass it from one process to another."""
    names = [str(i) for i in range(len(table.columns))]
    plain = {"header": table.header, "refused": table.refused, "notes": table.notes}
    plain |= {"sheets": table.sheets, "alike": table.alike}
    batch = pa.table([*table.columns, pa.array(table.rows, pa.int32())], names=[*names, "rows"])
    batch = batch.replace_schema_metadata({"sonoki": json.dumps(plain)})
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_table(batch)
    return sink.getvalue().to_pybytes()


def unpack_table(content: bytes) -> TextTable:
    """Read what `pack_table` wrote."""
    table = pa.ipc.open_stream(content).read_all()
    plain = json.loads(table.schema.metadata[b"sonoki"])
    columns = [_join(column) for column in table.columns]
    refused = tuple((int(number), str(reason)) for number, reason in plain["refused"])
    rows = tuple(columns[-1].to_pylist())
    header, notes, sheets, alike = (tuple(plain[name]) for name in ("header", "notes", "sheets", "alike"))
    return TextTable(header, tuple(columns[:-1]), rows, refused, notes, sheets, alike)


def _join(column: pa.ChunkedArray) -> pa.Array:
    return column.chunk(0) if column.num_chunks == 1 else pa.concat_arrays(column.chunks or [pa.array([], column.type)])

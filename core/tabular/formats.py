"""Bytes of a table in any known format to its cells; runs in a process of its own but for small text."""

from io import BytesIO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from core.errors import TableError
from core.tabular.apart import Sentences
from core.tabular.delimited import read_delimited
from core.tabular.foreign import refuse_foreign
from core.tabular.table import MAX_COLUMNS, MAX_ROWS, TOO_MANY_COLUMNS, TOO_MANY_ROWS, TextTable, drop_nameless
from core.tabular.workbook import read_workbook

ZIP_START, OLE_START, PARQUET_START = b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"PAR1"
NO_SHEETS = "The file has no sheets, so none can be chosen."
SENTENCES = Sentences(
    damaged="The table is damaged or in an unknown format; save it again as .xlsx, or as CSV.",
    crashed="The table made its reader fail: it is damaged, or needs more memory than is allowed. Save it as CSV.",
    too_slow="The table took longer than {seconds} seconds to read; delete what is not needed, or save it as CSV.",
    too_large="The table needs more memory than is allowed; delete what is not needed, or save it as CSV.",
)
NESTED = "A column of the Parquet file holds lists or records; give a table with one value a cell."


def is_plain_text(content: bytes) -> bool:
    """Tell whether a file is none of the packed formats."""
    return not content.startswith((ZIP_START, OLE_START, PARQUET_START))


def read_any(content: bytes, sheet: str = "", encoding: str = "") -> TextTable:
    """Read a table in whatever format its first bytes show; columns without a name are left out."""
    refuse_foreign(content)
    if content.startswith((ZIP_START, OLE_START)):
        return drop_nameless(read_workbook(content, sheet))
    if sheet:
        raise TableError(NO_SHEETS)
    is_parquet = content.startswith(PARQUET_START)
    return drop_nameless(_read_parquet(content) if is_parquet else read_delimited(content, encoding))


def _read_parquet(content: bytes) -> TextTable:
    file = pq.ParquetFile(BytesIO(content))
    if file.metadata.num_rows > MAX_ROWS:
        raise TableError(TOO_MANY_ROWS)
    if file.metadata.num_columns > MAX_COLUMNS:
        raise TableError(TOO_MANY_COLUMNS)
    table = file.read()
    rows = tuple(range(2, table.num_rows + 2))
    return TextTable(tuple(name.strip() for name in table.column_names), tuple(map(_write, table.columns)), rows)


def _write(column: pa.ChunkedArray) -> pa.Array:
    values = pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], column.type)
    if pa.types.is_dictionary(values.type):
        values = values.dictionary_decode()
    if pa.types.is_nested(values.type) or pa.types.is_binary(values.type):
        raise TableError(NESTED)
    return pc.utf8_trim_whitespace(pc.fill_null(values.cast(pa.string()), ""))

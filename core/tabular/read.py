"""A file to the cells of its table, within limits of time and memory."""

from codecs import BOM_UTF8
from pathlib import Path

from core.errors import TableError
from core.tabular.apart import read_apart
from core.tabular.formats import SENTENCES, is_plain_text, read_any
from core.tabular.table import MAX_BYTES, TextTable, unpack_table

READ_HERE = 1 << 20


def read_bytes(source: bytes | Path) -> bytes:
    """Read a file, or take its bytes as they are.

    Parameters
    ----------
    source : bytes or Path
        Content of the file, or where it is.

    Returns
    -------
    bytes
        Content.

    Raises
    ------
    TableError
        If it can't be opened, is empty or too large.
    """
    if isinstance(source, bytes):
        content = source
    else:
        try:
            content = Path(source).read_bytes()
        except OSError:
            raise TableError("The table can't be opened; check that the file exists and may be read.") from None
    if not content.removeprefix(BOM_UTF8).strip():
        raise TableError("The table is empty; give a header and one row per patient.")
    if len(content) > MAX_BYTES:
        raise TableError(f"The table has {len(content) / 2**20:.0f} MB; the limit is {MAX_BYTES / 2**20:.0f} MB.")
    return content


def read_table(content: bytes, *, sheet: str = "", encoding: str = "") -> TextTable:
    """Read the cells of a table.

    Parameters
    ----------
    content : bytes
        CSV or the like, XLSX, XLSM, XLSB, XLS, ODS or Parquet. All but short text is read in a process of its own.
    sheet : str
        Sheet of a workbook that a person named; "" for the one with the most known column names.
    encoding : str
        Encoding that a person named; "" to find it.

    Returns
    -------
    TextTable
        Its cells as text.

    Raises
    ------
    TableError
        If it can't be read, or not within the limits.
    BusyError
        If others are being read for too long.
    """
    if is_plain_text(content) and len(content) <= READ_HERE:
        return read_any(content, sheet, encoding)
    return unpack_table(read_apart("core.tabular.child", [sheet, encoding], content, SENTENCES))

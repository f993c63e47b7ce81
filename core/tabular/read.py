"""A file to the cells of its table, within limits of time and memory."""

import json
import os
import subprocess
import sys
from pathlib import Path

from core.errors import TableError
from core.settings import get_setting
from core.tabular.formats import is_plain_text, read_any
from core.tabular.table import MAX_BYTES, TextTable, unpack_table
from core.tabular.worker import DONE

READ_HERE = 1 << 20
ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENT = ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SYSTEMROOT", "TZ", "LANG")
CRASHED = "The table made its reader fail: it is damaged, or needs more memory than is allowed. Save it as CSV."
TOO_SLOW = "The table took longer than {seconds} seconds to read; delete what is not needed, or save it as CSV."


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
    if not content.strip():
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
    """
    if is_plain_text(content) and len(content) <= READ_HERE:
        return read_any(content, sheet, encoding)
    seconds = get_setting("table_seconds")
    try:
        done = subprocess.run(  # noqa: S603 - our own module, by our own interpreter
            [sys.executable, "-m", "core.tabular.worker", str(get_setting("table_memory_mb")), str(seconds + 5)],
            cwd=ROOT,
            env={name: os.environ[name] for name in ENVIRONMENT if name in os.environ} | {"OMP_NUM_THREADS": "1"},
            input=json.dumps([sheet, encoding]).encode() + b"\n" + content,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise TableError(TOO_SLOW.format(seconds=seconds)) from None
    if done.returncode or not done.stdout:
        raise TableError(CRASHED)
    kind, body = done.stdout[:1], done.stdout[1:]
    if kind != DONE:
        raise TableError(json.loads(body))
    return unpack_table(body)

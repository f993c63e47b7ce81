"""A file to the cells of its table, within limits of time and memory."""

import json
import os
import subprocess
import sys
from codecs import BOM_UTF8
from contextlib import suppress
from pathlib import Path

from core.errors import TableError
from core.settings import get_setting
from core.tabular.formats import is_plain_text, read_any
from core.tabular.table import MAX_BYTES, TextTable, unpack_table
from core.tabular.worker import DONE
from core.turns import Turns

READ_HERE = 1 << 20
AT_ONCE = 4
STEPS_BACK_SECONDS, NICENESS = 1.0, 10
ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENT = ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SYSTEMROOT", "TZ", "LANG")
CRASHED = "The table made its reader fail: it is damaged, or needs more memory than is allowed. Save it as CSV."
BUSY = "Other tables are being read at the moment. Try again in a minute."
OWN_BUSY = "Another table of yours is still being read. Try again in a minute."
TOO_SLOW = "The table took longer than {seconds} seconds to read; delete what is not needed, or save it as CSV."

_places = Turns(OWN_BUSY, BUSY, AT_ONCE)


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
    request = json.dumps([sheet, encoding]).encode() + b"\n" + content
    kind, body = _read_apart(request, get_setting("table_seconds"))
    if kind != DONE:
        raise TableError(json.loads(body))
    return unpack_table(body)


def _read_apart(request: bytes, seconds: float) -> tuple[bytes, bytes]:
    """Read a table in a process of its own; give the kind of its answer, and the answer."""
    command = [sys.executable, "-m", "core.tabular.worker", str(get_setting("table_memory_mb")), str(int(seconds) + 5)]
    with (
        _places.take(2 * seconds),
        subprocess.Popen(  # noqa: S603 - our own module, by our own interpreter
            command,
            cwd=ROOT,
            env={name: os.environ[name] for name in ENVIRONMENT if name in os.environ} | {"OMP_NUM_THREADS": "1"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        ) as process,
    ):
        answer = _converse(process, request, seconds)
    if process.returncode or not answer:
        raise TableError(CRASHED)
    return answer[:1], answer[1:]


def _converse(process: subprocess.Popen[bytes], request: bytes, seconds: float) -> bytes:
    """Wait for the answer; a long table stands back behind everything else, and one that takes too long is given up."""
    soon = min(STEPS_BACK_SECONDS, seconds)
    try:
        with suppress(subprocess.TimeoutExpired):
            return process.communicate(request, timeout=soon)[0]
        _stand_back(process.pid)
        return process.communicate(timeout=seconds - soon)[0]
    except subprocess.TimeoutExpired:
        raise TableError(TOO_SLOW.format(seconds=seconds)) from None
    finally:
        process.kill()


def _stand_back(pid: int) -> None:
    with suppress(OSError, AttributeError):  # it may be over; Windows has no such thing
        os.setpriority(os.PRIO_PROCESS, pid, os.nice(0) + NICENESS)

"""The process that reads one table: how and the file on standard input, the cells or a refusal on standard output."""

import json
import os
import signal
import sys
import warnings
from importlib.abc import MetaPathFinder

from core.errors import TableError
from core.tabular.formats import read_any
from core.tabular.table import pack_table

if sys.platform != "win32":
    import resource

ROOM = 32 * 2**20
DAMAGED = "The table is damaged or in an unknown format; save it again as .xlsx, or as CSV."
TOO_MUCH_MEMORY = "The table needs more memory than is allowed; delete what is not needed, or save it as CSV."
REFUSED, DONE = b"R", b"D"


def limit_process(memory_mb: int, seconds: int) -> None:
    """Bound this process's memory and time, and let it write no file, as far as the system can."""
    if sys.platform == "win32":
        return
    signal.alarm(seconds)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    if sys.platform.startswith("linux"):
        resource.setrlimit(resource.RLIMIT_AS, (memory_mb * 2**20, memory_mb * 2**20))


def answer(content: bytes, sheet: str = "", encoding: str = "") -> bytes:
    """Read a table and pack it, or a refusal."""
    try:
        return DONE + pack_table(read_any(content, sheet, encoding))
    except TableError as error:
        return REFUSED + json.dumps(str(error)).encode()
    except (MemoryError, ImportError):  # a library that no longer fits can't be loaded
        return REFUSED + json.dumps(TOO_MUCH_MEMORY).encode()
    except BaseException:  # noqa: BLE001 - whatever a broken file makes a library raise, a panic of Rust too, ends here
        return REFUSED + json.dumps(DAMAGED if _has_room() else TOO_MUCH_MEMORY).encode()


def _has_room() -> bool:
    """Whether memory is left: a library that gets none may fail in a way of its own."""
    try:
        return bool(bytearray(ROOM))
    except MemoryError:
        return False


class _WithoutPandas(MetaPathFinder):
    """Keeps Arrow from loading pandas, which takes longer than most tables."""

    def find_spec(self, name: str, *_: object) -> None:
        if name == "pandas":
            raise ModuleNotFoundError(name)


def main(memory_mb: int, seconds: int) -> None:
    """Read one table from standard input and answer on standard output."""
    warnings.simplefilter("ignore")
    sys.meta_path.insert(0, _WithoutPandas())
    output = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    how, content = json.loads(sys.stdin.buffer.readline()), sys.stdin.buffer.read()
    limit_process(memory_mb, seconds)
    output.write(answer(content, *how))
    output.flush()


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))

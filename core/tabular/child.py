"""The process that reads one table: how and the file on standard input, the cells or a refusal on standard output."""

import sys
from importlib.abc import MetaPathFinder
from typing import Any

from core.tabular.apart import serve
from core.tabular.formats import SENTENCES, read_any
from core.tabular.table import pack_table


def read_packed(content: bytes, how: Any) -> bytes:
    """Read a table by sheet and encoding, and pack it."""
    return pack_table(read_any(content, *how))


class _WithoutPandas(MetaPathFinder):
    """Keeps Arrow from loading pandas, which takes longer than most tables."""

    def find_spec(self, name: str, *_: object) -> None:
        if name == "pandas":
            raise ModuleNotFoundError(name)


if __name__ == "__main__":
    sys.meta_path.insert(0, _WithoutPandas())
    serve(read_packed, SENTENCES)

"""Tables as they stand in their files: format, encoding, separator, header and cells; no column is understood here."""

from core.tabular.encodings import ENCODINGS
from core.tabular.read import read_bytes, read_table
from core.tabular.table import FORMULA, MAX_ROWS, TextTable

__all__ = ["ENCODINGS", "FORMULA", "MAX_ROWS", "TextTable", "read_bytes", "read_table"]

"""The limits that whoever runs SonoKi may change: one table, read once from the environment.

A setting `max_bytes` is read from the variable `SONOKI_MAX_BYTES`. Clinical thresholds are no settings: they belong to
a bundle's manifest.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from core.errors import UsageError

PREFIX = "SONOKI_"


@dataclass(frozen=True)
class Setting:
    """One limit: its name, its default, and what it bounds."""

    name: str
    default: int
    help: str


SETTINGS: tuple[Setting, ...] = (
    Setting("max_bytes", 300_000_000, "Largest upload in bytes; the server's upload limit follows it"),
    Setting("max_pixels", 40_000_000, "Most pixels of one frame (width x height)"),
    Setting("max_side", 16_384, "Largest width or height of one frame in pixels"),
    Setting("max_frames", 2_000, "Most frames of one loop, or pages of one TIFF"),
    Setting("max_items", 500, "Most files in one zip archive"),
    Setting("decode_seconds", 10, "Longest time for reading one file, in seconds"),
    Setting("decode_memory_mb", 2_048, "Most memory (address space) of the process that decodes, in MB"),
    Setting("decode_workers", 2, "Processes that decode uploads at the same time"),
)


def read_settings(environ: Mapping[str, str]) -> dict[str, int]:
    """Read every setting from environment variables, with its default where it is not set.

    Parameters
    ----------
    environ : mapping of str to str
        The environment, `os.environ` for instance.

    Returns
    -------
    dict of str to int
        Value of each setting by its name.

    Raises
    ------
    UsageError
        If a variable holds anything but a positive whole number.
    """
    values = {}
    for setting in SETTINGS:
        variable = PREFIX + setting.name.upper()
        text = environ.get(variable, str(setting.default)).strip().replace("_", "")
        if not (text.isascii() and text.isdigit() and int(text) > 0):
            raise UsageError(f"{variable} must be a positive whole number (default {setting.default}).")
        values[setting.name] = int(text)
    return values


@cache
def _values() -> dict[str, int]:
    return read_settings(os.environ)


def get_setting(name: str) -> int:
    """Return a setting's value; the environment is read at the first call and then kept.

    Parameters
    ----------
    name : str
        Name of a row of `SETTINGS`.

    Returns
    -------
    int
        The value.
    """
    return _values()[name]

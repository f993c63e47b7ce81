"""What whoever runs SonoKi may change, limits and the bundle: one table, read once from the environment.

A setting `max_bytes` is read from the variable `SONOKI_MAX_BYTES`. Clinical thresholds are no settings: they belong to
a bundle's manifest.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from core.errors import UsageError

PREFIX = "SONOKI_"


@dataclass(frozen=True)
class Setting:
    """One setting: its name, its default (a number is a limit), and what it bounds or names."""

    name: str
    default: int | str
    help: str


SETTINGS: tuple[Setting, ...] = (
    Setting("max_bytes", 300_000_000, "Largest upload in bytes; the server's upload limit follows it"),
    Setting("max_pixels", 40_000_000, "Most pixels of one frame (width x height)"),
    Setting("max_side", 16_384, "Largest width or height of one frame in pixels"),
    Setting("max_frames", 2_000, "Most frames of one loop, or pages of one TIFF"),
    Setting("max_items", 500, "Most files in one zip archive"),
    Setting("held_bytes", 1_000_000_000, "Most bytes of held uploads, half of it for a person; the oldest go first"),
    Setting("decode_seconds", 20, "Most seconds of computing for reading one file"),
    Setting("decode_memory_mb", 2_048, "Most memory (address space) of the process that decodes, in MB"),
    Setting("decode_workers", 2, "Processes that decode uploads at the same time"),
    Setting("table_seconds", 60, "Longest time for reading one table, in seconds"),
    Setting("table_memory_mb", 2_048, "Most memory (address space) of the process that reads a table, in MB"),
    Setting("bundle", "models/ki67-demo", "Folder of the bundle that the pages show, from the repository's root"),
    Setting("bundles", "", "Folder of the bundles that an admin may put into use on the Model page; empty: none"),
    Setting(
        "trusted_bundles", "", "Hashes of the bundles that may answer, commas between; empty: any that is unchanged"
    ),
    Setting("pacs_url", "", "Address of the archive's DICOMweb service, https://...; empty: no archive"),
    Setting("pacs_user", "", "User at the archive; the password is read from SONOKI_PACS_PASSWORD alone"),
    Setting("pacs_ca", "", "File with the certificates that sign the archive's own; empty: the public ones"),
    Setting("pacs_seconds", 20, "Longest silence of the archive, in seconds"),
    Setting("pacs_total_seconds", 300, "Longest time for one exchange with the archive, in seconds"),
    Setting("outbox", "", "Folder of results that wait for the archive; empty: in the user's data folder"),
    Setting("database_url", "", "The board's database, postgresql://...; empty: SQLite in the user's data folder"),
    Setting(
        "board_key", "", "File of the keys that seal the board's entries; empty: in the user's configuration folder"
    ),
    Setting("register", "off", "Whether cases and cohorts can be added to the register: on or off"),
    Setting("boxes", "on", "Whether clinicians can draw the lesion boxes of cohorts on the page Boxes: on or off"),
    Setting("cohorts", "", "Folder whose tables, and those of the folders in it, get boxes and are trained on"),
    Setting("training", "auto", "Whether admins may train on the page Train: on, off, or auto: on without login"),
    Setting("training_folder", "", "Folder of uploaded packages and of bundles made; empty: in the user's data folder"),
    Setting("training_days", 30, "Days after which an uploaded package or a bundle made is removed"),
    Setting("training_backbone", "models/backbone", "Folder of the backbone that is trained on, from the root"),
    Setting("start_token", "on", "Whether a browser on this computer must come by the printed address: on or off"),
    Setting("open_pages", 300, "Most pages that may be open at the same time; a tenth on top before login"),
    Setting("person_pages", 20, "Most pages that one person who is logged in may have open at the same time"),
    Setting("role_claim", "roles", "Claim of the identity token that holds viewer, clinician or admin"),
    Setting("engine", "auto", "What runs the network: auto, cuda, openvino or torch"),
)


def read_settings(environ: Mapping[str, str]) -> dict[str, int | str]:
    """Read every setting from environment variables, with its default where it is not set."""
    return {setting.name: _parse(setting, environ) for setting in SETTINGS}


def _parse(setting: Setting, environ: Mapping[str, str]) -> int | str:
    variable = PREFIX + setting.name.upper()
    text = environ.get(variable, str(setting.default)).strip()
    if isinstance(setting.default, str):
        if not text and setting.default:
            raise UsageError(f"{variable} must not be empty (default {setting.default}).")
        return text
    digits = text.replace("_", "")
    if not (digits.isascii() and digits.isdigit() and int(digits) > 0):
        raise UsageError(f"{variable} must be a positive whole number (default {setting.default}).")
    return int(digits)


@cache
def _values() -> dict[str, int | str]:
    return read_settings(os.environ)


def forget_settings() -> None:
    """Read the environment again at the next call."""
    _values.cache_clear()


def get_setting(name: str) -> int:
    """Return a limit's value; the environment is read at the first call and then kept."""
    return int(_values()[name])


def get_text_setting(name: str) -> str:
    """Return the value of a text setting; the environment is read at the first call and then kept."""
    return str(_values()[name])


def find_cohorts_folder() -> Path | None:
    """Give the folder of the setting "cohorts"; None where it is empty."""
    name = get_text_setting("cohorts")
    return Path(name).expanduser() if name else None

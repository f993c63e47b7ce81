"""Texts that someone typed, made fit for paper."""

import unicodedata
from collections.abc import Mapping
from typing import Any

SHORT = 36
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
BIDI_CONTROLS = {*map(chr, range(0x202A, 0x202F)), *map(chr, range(0x2066, 0x206A))}


def clean_text(text: str) -> str:
    """Replace what no font shows or what would turn a line around: controls, surrogates, private and unassigned."""
    return "".join(map(_clean_character, text.replace("\r\n", "\n").replace("\r", "\n").replace("\t", " ")))


def _clean_character(character: str) -> str:
    if character == "\n":
        return character
    bad = unicodedata.category(character) in {"Cc", "Cs", "Co", "Cn"} or character in BIDI_CONTROLS
    return REPLACEMENT if bad else character


def clean(value: Any) -> Any:
    """Clean every text in a record of JSON types."""
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, Mapping):
        return {key: clean(item) for key, item in value.items()}
    return [clean(item) for item in value] if isinstance(value, list | tuple) else value


def shorten(text: str, longest: int = SHORT) -> str:
    """Give the start of a text on one line; by default short enough for a page's head."""
    line = " ".join(text.split())
    return line if len(line) <= longest else line[: longest - 1] + "\N{HORIZONTAL ELLIPSIS}"

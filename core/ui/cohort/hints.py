"""What a page says where a sentence about a table ends in an option of the command line."""

import re
from collections.abc import Callable

Point = Callable[[str], str]
OPTION = re.compile(r": --\w.*$")
FEW = re.compile(r": --few$")
KEEP = re.compile(r", --keep (\d+) takes it\.$")
CODES = re.compile(r": --code (?P<name>\w+)=(?P<codes>.*?)(, or .*)?\.?$")
IN_FILE = (
    (re.compile(r": --unit .*$"), " in the head of its column, or convert it."),
    (re.compile(r"[^.;]*: --encoding .*$"), " Save it as UTF-8."),
    (re.compile(r"[^.;]*: --sheet .*$"), " To read another, leave only that one in the file."),
    (re.compile(r", or [^,]*: --exact-ids$"), "."),
    (re.compile(r"[,;] or[^.;]*: --ignore .*$"), "."),
)


def point_below(sentence: str) -> str:
    """Name the form below in place of the option."""
    sentence = FEW.sub(", if the box above is ticked.", sentence)
    return KEEP.sub(r', name row \1 under "Rows kept".', OPTION.sub(" below.", sentence))


def point_to_file(sentence: str) -> str:
    """Say in place of the option what can be changed in the file itself, where there is no form."""
    sentence = CODES.sub(_write_head, sentence)
    for option, change in IN_FILE:
        sentence = option.sub(change, sentence)
    return sentence


def _write_head(found: re.Match[str]) -> str:
    coding = ", ".join(pair.replace(":", " = ") for pair in found["codes"].split(","))
    return f' in the head of its column, as "{found["name"]} ({coding})".'

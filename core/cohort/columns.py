"""The columns of a file, matched with the fields that are known here."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from core.clinical import COLUMNS, KNOWN, Title, read_title, simplify_name
from core.cohort.endpoints import EVENT, OTHER_ENDPOINTS, TIME, find_mixed_endpoints
from core.cohort.record import Choices
from core.errors import TableError

MODEL = "prob_"
LIKENESS = 0.8
SPLIT_WORDS = frozenset({"train", "training", "test", "testing", "validation", "holdout", "dev", "development"})
OPPOSITES = (
    r"(^|_)(1|low|not?|non|free|without|neg(ative)?|benign|alive|censor(ed|ing)|niedrig|gering|keine?|ohne|frei|"
    r"faible|bas|sans|baj[oa]|sin|libre)(_|$)"
)
"""Parts of a name that turn it into its opposite: such a column is never proposed for the field."""


@dataclass(frozen=True)
class Match:
    """Which column stands for which field."""

    positions: dict[str, int]  # field to position in the file
    titles: dict[str, Title]  # what the column's head says beyond its name
    # columns that stand for nothing, each with the field that may have been meant, or ""
    unread: tuple[tuple[str, str], ...]
    doubtful: dict[str, tuple[str, ...]]  # fields that several columns fit
    # why time and event of the follow-up, taken out of `positions`, don't belong together; "" if they do
    mixed: str = ""


def match_columns(header: Sequence[str], wanted: Iterable[str], choices: Choices, *, models: bool = False) -> Match:
    """Match the columns of a file with fields.

    Parameters
    ----------
    header : sequence of str
        Column names of the file.
    wanted : iterable of str
        Fields to look for; a column of just that name goes before one that clinics call so.
    choices : Choices
        What a person settled; it goes before any likeness.
    models : bool
        Whether columns ``prob_<model>`` are fields of their own.

    Returns
    -------
    Match
        What was found.

    Raises
    ------
    TableError
        If a choice names a column that the file lacks.
    """
    titles = [read_title(name) for name in header]
    plain = [simplify_name(name) for name in header]
    ignored = {_locate(header, name) for name in choices.ignored}
    free = set(range(len(header))) - ignored
    positions = {field: _locate(header, column) for field, column in choices.columns.items()}
    _refuse_contradictions(header, positions, ignored)
    free -= set(positions.values())
    doubtful = {}
    for field in wanted:
        if field in positions:
            continue
        fitting = [i for i in sorted(free) if plain[i] == field] or [
            i for i in sorted(free) if KNOWN.get(titles[i].name) == field
        ]
        if len(fitting) > 1:
            doubtful[field] = tuple(header[i] for i in fitting)
        elif fitting:
            positions[field] = fitting[0]
        free -= set(fitting)
    for i in sorted(free) if models else ():
        name = titles[i].name
        if name.startswith(MODEL) and name not in positions and header[i]:
            positions[name] = i
    free -= set(positions.values())
    missing = [name for name in wanted if name not in positions]
    kept = {_locate(header, name) for name in choices.kept if name not in COLUMNS}
    unread = tuple(
        (header[i], "" if i in ignored else _suggest(titles[i].name, missing))
        for i in sorted((free | ignored) - kept)
        if header[i]
    )
    mixed = find_mixed_endpoints(header, titles, positions, choices.columns)
    heads = {field: titles[i] for field, i in positions.items()}
    if mixed:
        doubtful |= {field: (header[positions.pop(field)],) for field in (TIME, EVENT)}
    return Match(positions, heads, unread, doubtful, mixed)


def _refuse_contradictions(header: Sequence[str], positions: dict[str, int], ignored: set[int]) -> None:
    """Refuse a column that a person both maps and ignores, or maps to two fields."""
    for field, position in positions.items():
        if position in ignored:
            raise TableError(f"The column '{header[position][:40]}' is mapped to {field} and ignored; choose one.")
        others = [other for other, own in positions.items() if own == position and other != field]
        if others:
            raise TableError(
                f"The column '{header[position][:40]}' is mapped to {field} and to {others[0]}; choose one."
            )


def _locate(header: Sequence[str], column: str) -> int:
    """Give the position of a column that a person named."""
    if column in header:
        return list(header).index(column)
    plain = [simplify_name(name) for name in header]
    if simplify_name(column) in plain:
        return plain.index(simplify_name(column))
    close = get_close_matches(simplify_name(column), plain, n=1, cutoff=0.6)
    hint = f" Did you mean '{header[plain.index(close[0])]}'?" if close else ""
    raise TableError(f"The column '{column[:40]}' is not in the file.{hint}")


def _suggest(name: str, missing: Sequence[str]) -> str:
    """Give the field that a misspelt name may have meant."""
    if "split" in missing and {*name.split("_")} - {"is", "in", "set", "data"} <= SPLIT_WORDS:
        return "split"
    is_of_another = not OTHER_ENDPOINTS.isdisjoint(name.split("_"))
    words = {
        word: field
        for word, field in KNOWN.items()
        if field in missing and len(word) > 3 and not (is_of_another and field in {TIME, EVENT})
    }
    close = get_close_matches(name, list(words), n=1, cutoff=LIKENESS)
    is_opposite = bool(close) and bool(re.search(OPPOSITES, name)) and not re.search(OPPOSITES, close[0])
    return words[close[0]] if close and not is_opposite else ""


def label_field(name: str) -> str:
    """Give what a reader sees of a field."""
    if name in COLUMNS:
        return COLUMNS[name].label
    return f"Probability of the model '{name.removeprefix(MODEL)}'"


def find_field(name: str) -> str:
    """Give the field that a person's word stands for."""
    plain = simplify_name(name)
    if plain in KNOWN:
        return KNOWN[plain]
    if plain.startswith(MODEL):
        return plain
    close = get_close_matches(plain, list(KNOWN), n=1, cutoff=0.6)
    hint = f" Did you mean '{KNOWN[close[0]]}'?" if close else ""
    raise TableError(f"'{name[:40]}' is not a field of a table here.{hint}")

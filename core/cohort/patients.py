"""Rows as patients: those that are none, those that may be one patient twice, and those that don't count once."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from core.clinical import NOT_COMPUTED, fold_word, is_missing, names_summary, simplify_name
from core.clinical.ids import fold_ids
from core.cohort.cells import Cells, find_plain_names, quote
from core.cohort.columns import Match
from core.cohort.record import Choices
from core.errors import TableError
from core.tabular import TextTable

SUMMARY = "{cell} names a row of sums or means, no patient"
SUMMARY_SHARE = 0.1
NO_PATIENT = "no patient_id"
HEAD_AGAIN = "the column names again, no patient"
NUMBERED = re.compile(r"(.*[^\W\d_])[\s_-]*\d+")
TWIN = (
    "the pseudonym differs from that of row {row} only in case, blanks, dashes, width or zeros: one patient or two? "
    "Write them alike, or say that they differ: --exact-ids"
)
DESIGN = (
    "The column '{column}' gives {kind}, which no figure here takes into account: every patient counts once, from time "
    "zero. If that is right for this table, ignore the column; else analyse the table elsewhere."
)
ID_WORDS = re.compile(
    r"(^|_)(\w*id|no|nr|num|number|nummer|numero|num[eé]ro|code|codice|codigo|pat|patient\w*|paz\w*|pac\w*|hasta|subject|"
    r"case|fall\w*|record|mrn|pseudonym\w*|病\w*|患\w*|住院\w*|登记\w*|编号)(_|$)|号$"
)
ID_AGAIN = (
    "No column is named patient_id, and '{column}' holds {distinct} different values in {rows} rows. If it names the "
    "patients, each counts once: map it to patient_id, or leave it unread: --map patient_id='{column}' or --ignore "
    "'{column}'."
)
MOST_ROWS = 12  # rows of one patient, up to which a column may name patients
UNCLEAR = {
    "weights": frozenset({"weight", "wt", "w", "gewicht", "poids", "peso"}),
    "delayed entry": frozenset({"entry", "start", "begin", "t0", "eintritt", "entree", "entrada"}),
    "numbers of patients": frozenset({"n", "count", "counts", "number", "anzahl", "nombre", "numero", "数量", "人数"}),
}
LIGHTEST_KG = 25


def set_aside(table: TextTable, match: Match, *, no_patient: str = NO_PATIENT) -> TextTable:
    """Refuse the rows that are no patients before the columns are judged by the others, if any is left."""
    found = _find_heads(table) if len(table.header) > 1 else {}
    if "patient_id" in match.positions:
        cells = Cells(table.columns[match.positions["patient_id"]])
        found |= _find_summary_ids(cells)
        empty = [i for i in _list_odd(cells) if is_missing(cells.different[i], is_name=True)]
        found = dict.fromkeys(map(int, np.flatnonzero(np.isin(cells.codes, empty))), no_patient) | found
    elif "patient_id" not in match.doubtful:
        found |= find_summaries(table)
    if not found or len(found) == len(table.rows):
        return table
    left = np.array([row for row in range(len(table.rows)) if row not in found])
    refused = [*table.refused, *((table.rows[row], reason) for row, reason in found.items())]
    columns = tuple(column.take(pa.array(left)) for column in table.columns)
    rows = tuple(table.rows[row] for row in left)
    return replace(table, columns=columns, rows=rows, refused=tuple(sorted(refused)))


def _find_heads(table: TextTable) -> dict[int, str]:
    """Give the positions of rows that repeat the column names."""
    same = np.zeros(len(table.rows), int)
    for column, name in zip(table.columns, table.header, strict=True):
        same += pc.equal(column, name).to_numpy(zero_copy_only=False)
    again = np.flatnonzero(same > 1)
    filled = {row: sum(bool(column[row].as_py()) for column in table.columns) for row in again.tolist()}
    return {row: HEAD_AGAIN for row, count in filled.items() if same[row] == count}


def _list_odd(cells: Cells) -> list[int]:
    """List the different pseudonyms that may be none: without a digit, with blanks, or with a sign as in "N=80"."""
    return list(map(int, np.flatnonzero(~find_plain_names(cells, r"[=:(±]"))))


def _find_summary_ids(cells: Cells) -> dict[int, str]:
    """Give the positions of rows that the pseudonym names as sums or means; "SD 001" among its like is a pseudonym."""
    named = [i for i in _list_odd(cells) if names_summary(cells.different[i])]
    stems = [match[1] if (match := NUMBERED.fullmatch(fold_word(cells.different[i]))) else "" for i in named]
    often, found = Counter(stems), dict[int, str]()
    for i, stem in zip(named, stems, strict=True):
        if not stem or often[stem] == 1:
            reason = f"patient_id: {SUMMARY.format(cell=quote(cells.different[i]))}"
            found |= dict.fromkeys(map(int, np.flatnonzero(cells.codes == i)), reason)
    return found


def find_summaries(table: TextTable) -> dict[int, str]:
    """Give the positions of rows that a cell names as sums or means, and that are emptier than most or at the end.

    A word of many rows or of full ones, as of surgery, is a value.
    """
    found: dict[int, str] = {}
    filled = np.zeros(len(table.rows), int)
    for name, cells in zip(table.header, map(Cells, table.columns), strict=True):
        filled += pc.not_equal(cells.texts, "").to_numpy(zero_copy_only=False)[cells.codes]
        few = cells.counts <= max(1, SUMMARY_SHARE * len(table.rows))
        worded = pc.match_substring_regex(cells.texts, r"^\p{L}").to_numpy(zero_copy_only=False)
        for text in map(int, np.flatnonzero(few & worded)):
            if names_summary(cells.different[text]):
                reason = f"{name}: {SUMMARY.format(cell=quote(cells.different[text]))}"
                found |= dict.fromkeys(map(int, np.flatnonzero(cells.codes == text)), reason)
    end = len(filled)
    while end - 1 in found:
        end -= 1
    return {row: reason for row, reason in found.items() if row >= end or filled[row] < np.median(filled)}


def find_twins(cells: Cells, rows: Sequence[int]) -> dict[int, str]:
    """Give the positions of rows whose pseudonym is another one but for case, blanks, dashes, width or zeros."""
    codes = fold_ids(cells.texts).dictionary_encode().indices.to_numpy(zero_copy_only=False)
    twins = np.flatnonzero((np.bincount(codes, minlength=1)[codes] > 1) if len(codes) else [])
    if not len(twins):
        return {}
    first = np.full(len(codes), len(rows))
    np.minimum.at(first, cells.codes, np.arange(len(rows)))
    groups: dict[int, list[int]] = {}
    for text in map(int, twins):
        groups.setdefault(int(codes[text]), []).append(int(first[text]))
    reasons = {}
    for position in map(int, np.flatnonzero(np.isin(cells.codes, twins))):
        text = cells.codes[position]
        other = next(row for row in groups[int(codes[text])] if row != first[text])
        reasons[position] = TWIN.format(row=rows[other])
    return reasons


def refuse_unnamed_patients(table: TextTable, match: Match, choices: Choices) -> None:
    """Refuse a table without pseudonyms if an unread column looks like them and says some of them again."""
    if "patient_id" in match.positions or "patient_id" in match.doubtful:
        return
    settled = set(map(simplify_name, (*choices.ignored, *choices.kept)))
    for column, guess in match.unread:
        if simplify_name(column) in settled or not (guess == "patient_id" or ID_WORDS.search(simplify_name(column))):
            continue
        cells = Cells(table.find(column))
        known = [i for i, text in enumerate(cells.different) if not is_missing(text, is_name=True)]
        total = int(cells.counts[known].sum())
        if 1 < len(known) < total and cells.counts[known].max() <= MOST_ROWS:
            raise TableError(ID_AGAIN.format(column=column[:40], distinct=len(known), rows=total), column=column)


def refuse_design(table: TextTable, match: Match, choices: Choices) -> None:
    """Refuse a column of weights, counts or delayed entry that differs between patients: it would bend all figures."""
    names = {name: kind for kind, listed in NOT_COMPUTED.items() for name in listed.split()}
    settled = set(map(simplify_name, (*choices.ignored, *choices.kept)))
    for position, head in enumerate(table.header):
        name = simplify_name(head)
        if position in match.positions.values() or name in settled or len(table.columns[position].unique()) < 2:
            continue
        kind = names.get(name) or _guess_design(name, Cells(table.columns[position]), match)
        if kind:
            raise TableError(DESIGN.format(column=head[:40], kind=kind), column=head)


def _guess_design(name: str, cells: Cells, match: Match) -> str:
    """Tell by its values whether a column of a common name gives weights, counts or delayed entry."""
    kind = next((kind for kind, words in UNCLEAR.items() if name in words), "")
    values = _read_plain(cells) if kind else np.array([])
    if not len(values) or values.min() < 0:
        return ""
    is_whole = bool((values == values.round()).all())
    fits = {
        "weights": float(np.median(values)) < LIGHTEST_KG,
        "delayed entry": "rfs_months" in match.positions,
        "numbers of patients": "patient_id" not in match.positions and is_whole and values.min() > 0,
    }
    return kind if fits[kind] else ""


def _read_plain(cells: Cells) -> np.ndarray:
    """Give the numbers of a column; none if a cell that is not empty holds something else."""
    try:
        return np.array([float(text.replace(",", ".")) for text in cells.different if not is_missing(text)])
    except ValueError:
        return np.array([])

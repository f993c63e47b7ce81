"""Which file belongs to which row: by patient and study, never by a guess; what does not pair gets a reason."""

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter

from core.cohort.collecting.table import PatientTable, TableRow
from core.cohort.collecting.tokens import FileTokens, Tokens

NO_PATIENT = "The file names no patient."
TWO_IDS = (
    "Its patient id and that of other files differ only in case, blanks, dashes, width or zeros: one patient or two? "
    "Correct them, or say that they differ: --exact-ids"
)
TWO_PEOPLE = "Files with its patient id name different people (birth date, issuer of the id, or no part of the name)."
NO_ROW = "No row of the table has its patient id."
BAD_ROW = "The row of its patient, row {row}, can't be used."
OTHER_DATE = "Its study date is not that of row {row}."
NO_DATE = "It names no study date, and row {row} gives one."
OTHER_ACCESSION = "Its accession number is not that of row {row}."
NO_ACCESSION = "It names no accession number, and row {row} gives one."
SEVERAL_ROWS = "It fits the rows {rows} alike."
SEVERAL_STUDIES = "Its patient has {count} studies, and row {row} names neither date nor accession number of one."
OTHER_BREAST = "It shows the other breast than row {row} names."
SAME_UID = "Another image has the same SOP instance UID."
SAME_PICTURE = "It shows the same pixels as an image of another patient."
REPEATED = "It shows the same pixels as {file}."
NO_FILES = "No file has its patient id."
NO_IMAGE = "None of the {count} files with its patient id could be used; each is named with its reason."


@dataclass(frozen=True)
class Pairing:
    """Files and rows that belong together."""

    pairs: dict[str, TableRow]  # name of each file that is used, to its row
    files: dict[str, str]  # name of each other file, and why
    rows: dict[int, str]  # number of each row without an image, and why


def pair_files(files: Sequence[FileTokens], table: PatientTable, tokens: Tokens, *, exact_ids: bool) -> Pairing:
    """Pair files with the rows of a table; every file and every usable row stands in the pairing once.

    Of equal files the first is kept. With `exact_ids`, ids that differ only in case and the like are different
    patients.
    """
    owner = attrgetter("patient" if exact_ids else "folded")
    reasons = {file.file: file.fault for file in files if file.fault}
    for name, reason in (*_find_two(files, owner), *_find_clashes(files, owner)):
        reasons.setdefault(name, reason)
    by_patient: dict[str, list[TableRow]] = defaultdict(list)
    for row in table.rows:
        by_patient[tokens.name_patient(row.patient, exact=exact_ids)].append(row)
    pairs: dict[str, TableRow] = {}
    for file in files:
        if file.file in reasons:
            continue
        found = _find_row(file, by_patient.get(owner(file), []), tokens)
        if isinstance(found, TableRow):
            pairs[file.file] = found
        else:
            reasons[file.file] = found or _explain(file, table, tokens)
    for find in (_find_several_studies, _find_repeated):
        for name, reason in find(files, pairs):
            reasons[name] = reason
            del pairs[name]
    return Pairing(pairs, reasons, _find_bare_rows(by_patient, pairs, Counter(map(owner, files))))


def _explain(file: FileTokens, table: PatientTable, tokens: Tokens) -> str:
    """Say why no row is a file's patient's."""
    if not file.patient:
        return NO_PATIENT
    unusable = {tokens.make("folded", folded): number for folded, number in table.unusable.items()}
    return BAD_ROW.format(row=unusable[file.folded]) if file.folded in unusable else NO_ROW


def _find_bare_rows(
    by_patient: Mapping[str, Sequence[TableRow]], pairs: Mapping[str, TableRow], counts: Mapping[str, int]
) -> dict[int, str]:
    """Give the rows that have no image."""
    paired = {row.number for row in pairs.values()}
    return {
        row.number: NO_IMAGE.format(count=counts[patient]) if counts[patient] else NO_FILES
        for patient, own in by_patient.items()
        for row in own
        if row.number not in paired
    }


def _group(files: Iterable[FileTokens], key: Callable[[FileTokens], Hashable]) -> list[list[FileTokens]]:
    groups: dict[Hashable, list[FileTokens]] = defaultdict(list)
    for file in files:
        groups[key(file)].append(file)
    return list(groups.values())


def _find_two(files: Iterable[FileTokens], owner: Callable[[FileTokens], str]) -> Iterable[tuple[str, str]]:
    """Give the files of ids that fold into one, and of ids that several people share."""
    for group in _group([file for file in files if file.patient], owner):
        reason = TWO_IDS if len({file.patient for file in group}) > 1 else TWO_PEOPLE if _differ(group) else ""
        yield from ((file.file, reason) for file in group if reason)


def _differ(group: Sequence[FileTokens]) -> bool:
    """Whether files of one id name different people: as often misspelt names do not, one shared word is enough."""
    births, issuers = ({getattr(file, name) for file in group} - {""} for name in ("birth_date", "issuer"))
    names = {frozenset(file.names) for file in group if file.names}
    return len(births) > 1 or len(issuers) > 1 or any(not a & b for a in names for b in names)


def _find_clashes(files: Sequence[FileTokens], owner: Callable[[FileTokens], str]) -> Iterable[tuple[str, str]]:
    """Give the files whose UID or picture stands for something else, too."""
    stills = [file for file in files if not file.fault]
    for group in _group([file for file in stills if file.instance], lambda file: file.instance):
        if len({file.pixels for file in group}) > 1:
            yield from ((file.file, SAME_UID) for file in group)
    for group in _group(stills, lambda file: file.pixels):
        if len({owner(file) for file in group}) > 1:
            yield from ((file.file, SAME_PICTURE) for file in group)


def _find_row(file: FileTokens, rows: Sequence[TableRow], tokens: Tokens) -> TableRow | str:
    """Give the one row that a file fits, or why there is none; "" where its patient has no row."""
    misfits = {row.number: _compare(file, row, tokens) for row in rows}
    fitting = [row for row in rows if not misfits[row.number]]
    if len(fitting) > 1:
        return SEVERAL_ROWS.format(rows=" and ".join(str(row.number) for row in fitting))
    return fitting[0] if fitting else next(iter(misfits.values()), "")


def _compare(file: FileTokens, row: TableRow, tokens: Tokens) -> str:
    """Say why a file does not fit a row of its patient; "" if it does."""
    sentence = ""
    if row.accession and file.accession != tokens.fold("accession", row.accession):
        sentence = OTHER_ACCESSION if file.accession else NO_ACCESSION
    elif row.exam_date and file.study_date != tokens.make("date", row.exam_date):
        sentence = OTHER_DATE if file.study_date else NO_DATE
    elif row.side and file.side and file.side != row.side:
        sentence = OTHER_BREAST
    return sentence.format(row=row.number)


def _find_several_studies(files: Sequence[FileTokens], pairs: dict[str, TableRow]) -> list[tuple[str, str]]:
    """Give the files of rows that name no study, where their patient has several."""
    found = []
    used = [file for file in files if file.file in pairs]
    for group in _group(used, lambda file: pairs[file.file].number):
        row, studies = pairs[group[0].file], {file.study or file.file for file in group}
        if len(studies) > 1 and not (row.exam_date or row.accession):
            reason = SEVERAL_STUDIES.format(count=len(studies), row=row.number)
            found += [(file.file, reason) for file in group]
    return found


def _find_repeated(files: Sequence[FileTokens], pairs: dict[str, TableRow]) -> list[tuple[str, str]]:
    """Give the files that show what an earlier one shows."""
    used = [file for file in files if file.file in pairs]
    return [
        (file.file, REPEATED.format(file=group[0].file))
        for group in _group(used, lambda file: file.pixels)
        for file in group[1:]
    ]

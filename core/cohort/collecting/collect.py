"""DICOM files and a workbook to pseudonymised B-mode stills and a manifest; what is not used is named."""

import fcntl
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pandas as pd

from core.cohort.collecting.describing import Progress, describe_files, work_ahead
from core.cohort.collecting.files import SourceFile, list_files
from core.cohort.collecting.pairing import Pairing, pair_files
from core.cohort.collecting.table import PatientTable, read_patients
from core.cohort.collecting.tokens import FileTokens, Tokens
from core.cohort.record import Choices, TableReading, simplify_reason
from core.errors import InputError, TableError, UsageError, WorkError, name_cause
from core.imaging import CleanedFile, deidentify
from core.imaging.decoding.pseudonyms import make_pseudonym
from core.private_files import make_private_folder, write_private_file
from core.spreadsheet import render_csv

MANIFEST, REFUSED, IMAGES, JOURNAL = "manifest.csv", "refused.csv", "images", ".collect.part"
LOCK = ".collect.lock"
QUOTED = r"'.*'"
NO_PAIR = "No file could be paired with a row of the table: refused.csv in --out says why of each."
Note = Callable[[Iterable[tuple[str, str, str]]], None]


@dataclass(frozen=True)
class CollectPlan:
    """What the person who collects decides."""

    key: bytes = field(repr=False)  # of the pseudonyms
    choices: Choices  # what was settled about the workbook's columns
    centre: str  # centre of all rows where the workbook names none
    note: Note  # takes (what, old, new) of what is replaced in names of files, for the keeper of the key alone
    # takes each copy for that keeper, before it is written; raises an InputError on one that can't be told from another
    # patient's
    take: Callable[[CleanedFile], None]
    progress: Progress  # takes the steps done and their total


@dataclass(frozen=True)
class Collection:
    """What was collected."""

    manifest: Path  # table of the images, for `train` and `score`
    # patients, images, files: patients and images that were taken, of so many files
    patients: int
    images: int
    files: int
    rows_used: int  # rows of the workbook with an image
    # row (of the workbook) or file (its new name), patient (the pseudonym, where known) and reason
    refused: pd.DataFrame
    reading: TableReading  # what became of the workbook's columns
    hidden: int  # images in which words were blackened, of those copied in this run

    @property
    def notes(self) -> list[str]:
        """What was concluded about the workbook, without what it says of a patient."""
        columns = [f"{c.column}: {c.label}" + (f" ({c.unit})" if c.unit else "") for c in self.reading.columns]
        return [*columns, *(hide_cells(note) for note in (*self.reading.notes, *self.reading.describe()))]


def collect_cohort(folder: Path, table: Path, out: Path, plan: CollectPlan) -> Collection:
    """Collect a cohort; a run that was stopped goes on, and the same input and key give the same bytes.

    Parameters
    ----------
    folder : Path
        DICOM files, loose, in folders or in zip archives, among others.
    table : Path
        The workbook.
    out : Path
        Folder for manifest, images and the list of what was not used.
    plan : CollectPlan
        Key and choices.

    Returns
    -------
    Collection
        What was taken and what was not.

    Raises
    ------
    UsageError
        If the folders can't be used.
    TableError
        If the workbook can't be.
    WorkError
        If a file can't be written.
    """
    _check_places(folder, out)
    patients = read_patients(table, plan.choices, centre=plan.centre)
    tokens = Tokens(plan.key)
    with _explain_disk(out), _hold(out):
        sources = {tokens.name_file(file.name): file for file in list_files(folder)}
        plan.note(("File", file.name, name) for name, file in sources.items())
        described, fresh = describe_files(sources, out / JOURNAL, tokens, plan.progress)
        hidden, failed = 0, {"": ""}
        while failed:  # a copy that can't be made may let a file take part that shows the same
            pairing = pair_files(described, patients, tokens, exact_ids=plan.choices.exact_ids)
            places = {file.file: out / name_copy(file) for file in described if file.file in pairing.pairs}
            _delete_others(out / IMAGES, places.values())
            more, failed = _write_copies(sources, places, fresh, plan)
            hidden, fresh = hidden + more, set()
            described = [replace(file, fault=failed.get(file.file, file.fault)) for file in described]
        refused = _list_refused(pairing, described, patients, tokens)
        _write(out / REFUSED, render_csv(refused))
        if not pairing.pairs:
            rows = ((number, hide_cells(reason)) for number, reason in patients.reading.refused)
            raise TableError(NO_PAIR, tuple(rows))
        manifest = _tabulate(pairing, described, patients.columns)
        _write(out / MANIFEST, render_csv(manifest))
        (out / JOURNAL).unlink()
    used = {row.number for row in pairing.pairs.values()}
    return Collection(
        out / MANIFEST,
        manifest["patient_id"].nunique(),
        len(manifest),
        len(sources),
        len(used),
        refused,
        patients.reading,
        hidden,
    )


def _check_places(folder: Path, out: Path) -> None:
    if not folder.is_dir():
        raise UsageError("The folder of DICOM files is not there; check the path.")
    if out.resolve().is_relative_to(folder.resolve()) or folder.resolve().is_relative_to(out.resolve()):
        raise UsageError("--out and the folder of DICOM files must not lie within each other.")
    if out.exists() and not (out.is_dir() and ((out / JOURNAL).exists() or {*os.listdir(out)} <= {LOCK})):
        raise UsageError("--out holds something already; give an empty or a new folder.")


@contextmanager
def _explain_disk(out: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise WorkError(
            f"A file can't be written ({name_cause(error)}): make room where {out.name} lies, or check who "
            "may write there; what is done is kept, and the same command goes on."
        ) from None


@contextmanager
def _hold(out: Path) -> Iterator[None]:
    """Make the folder, and keep another run out of it."""
    make_private_folder(out)
    with (out / LOCK).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise WorkError(f"Another run writes to {out.name}: wait for its end, or give another --out.") from None
        yield
        (out / LOCK).unlink()


def _write_copies(
    sources: Mapping[str, SourceFile], places: Mapping[str, Path], fresh: Set[str], plan: CollectPlan
) -> tuple[int, dict[str, str]]:
    """Write the copies that are not there yet; count those with hidden words, and give the files that have none."""
    todo = [name for name, place in places.items() if name in fresh or not place.exists()]
    done, hidden, failed = len(places) - len(todo), 0, dict[str, str]()
    for name, copy in work_ahead(lambda name: _clean(sources[name], plan.key), todo):
        done += 1
        plan.progress(len(sources) + done, len(sources) + len(places))
        if isinstance(copy, str):
            failed[name] = copy
            continue
        try:
            plan.take(copy)
        except InputError as error:
            failed[name] = str(error)
            continue
        make_private_folder(places[name].parent)
        _write(places[name], copy.data)
        hidden += bool(copy.hidden)
    return hidden, failed


def _clean(source: SourceFile, key: bytes) -> CleanedFile | str:
    """Give the copy of a file, or why there is none."""
    try:
        return deidentify(source.read(), key, bulk=True)
    except InputError as error:
        return str(error)


def _delete_others(folder: Path, kept: Iterable[Path]) -> None:
    """Delete what an earlier run left that belongs to no pair now, or half a file."""
    for path in {path for path in folder.rglob("*") if path.is_file()} - set(kept):
        path.unlink()
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.is_dir() and not any(path.iterdir()):
            path.rmdir()


def _tabulate(pairing: Pairing, described: Sequence[FileTokens], columns: Sequence[str]) -> pd.DataFrame:
    """Give the manifest: one row per image, by patient."""
    rows = [
        {"patient_id": file.patient, "image": name_copy(file), **pairing.pairs[file.file].values}
        for file in described
        if file.file in pairing.pairs
    ]
    table = pd.DataFrame(rows, columns=["patient_id", "image", *columns])
    return table.sort_values(["patient_id", "image"], ignore_index=True)


def name_copy(file: FileTokens) -> str:
    """Give the place of a file's copy in the folder of the collection."""
    return f"{IMAGES}/{file.patient}/{file.file}.dcm"


def _list_refused(
    pairing: Pairing, described: Sequence[FileTokens], table: PatientTable, tokens: Tokens
) -> pd.DataFrame:
    """List rows, then files, that were not used; what a reason quotes of the workbook is left out."""
    names = {file.folded: file.patient for file in described if file.patient}
    numbers = {row.number: row.patient for row in table.rows}
    rows = dict(table.reading.refused) | pairing.rows
    listed = []
    for number, reason in sorted(rows.items()):
        patient = numbers.get(number, "")
        known = patient and names.get(tokens.fold("folded", patient), make_pseudonym(tokens.key, patient))
        listed.append((str(number), "", known, hide_cells(reason)))
    owners = {file.file: file.patient for file in described}
    listed += [("", name, owners[name], reason) for name, reason in sorted(pairing.files.items())]
    return pd.DataFrame(listed, columns=["row", "file", "patient", "reason"])


def hide_cells(sentence: str) -> str:
    """Leave out what a sentence quotes of a cell."""
    return re.sub(QUOTED, "'…'", sentence)


def simplify_refusal(reason: str) -> str:
    """Write a reason without the row or file that it names."""
    return re.sub(r"\bF-[A-Z2-7]+", "F-…", simplify_reason(reason))


def _write(path: Path, content: bytes) -> None:
    """Write a file whole or not at all, for its owner alone."""
    partial = path.with_name(f".{path.name}.part")
    write_private_file(partial, content)
    partial.replace(path)

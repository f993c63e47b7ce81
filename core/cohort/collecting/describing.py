"""Every file read once into tokens, several at a time; what is done stays, so that a stopped run goes on."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from core.cohort.collecting.files import SourceFile
from core.cohort.collecting.tokens import FileTokens, Tokens
from core.cohort.scoring.journal import Journal
from core.errors import BusyError, ImageError, InputError, WorkError
from core.imaging.decoding.formats import detect_format
from core.imaging.decoding.pool import count_cores
from core.imaging.intake import read_filed

NO_DICOM = "Left out: no DICOM file."
UPLOADING = " Upload the B-mode ultrasound image."
STOPPED = (
    "The collection was stopped, or this computer was too busy to read a file in time. What is done is kept: the same "
    "command goes on."
)
Progress = Callable[[int, int], None]
Item = TypeVar("Item")
Result = TypeVar("Result")


def describe_files(
    sources: Mapping[str, SourceFile], journal: Path, tokens: Tokens, progress: Progress
) -> tuple[list[FileTokens], set[str]]:
    """Describe every file, in the order of their old names, and name those that were read in this run."""
    stamps = {name: f"{name} {file.stamp}" for name, file in sources.items()}
    numbers = {name: number for number, name in enumerate(sources)}
    with Journal(journal, tokens.identity) as kept:
        kept.forget(number for name, number in numbers.items() if kept.done.get(number) != stamps[name])
        fresh = [name for name, number in numbers.items() if number not in kept.done]
        done = len(sources) - len(fresh)
        for name, tokened in work_ahead(lambda name: _describe(name, sources[name], tokens), fresh):
            kept.add(numbers[name], stamps[name], tokened.write())
            done += 1
            progress(done, len(sources))
    read = kept.read()
    return [FileTokens.read(read[numbers[name]]) for name in sources], set(fresh)


def _describe(name: str, source: SourceFile, tokens: Tokens) -> FileTokens:
    if source.fault:
        return FileTokens(name, source.fault)
    try:
        data = source.read()
    except InputError as error:
        return FileTokens(name, str(error))
    try:
        is_dicom = detect_format(data) == "DICOM"
    except ImageError:
        is_dicom = False
    if not is_dicom:
        return FileTokens(name, NO_DICOM)
    try:
        return tokens.describe(name, read_filed(data))
    except ImageError as error:
        return FileTokens(name, str(error).removesuffix(UPLOADING))


def work_ahead(work: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[tuple[Item, Result]]:
    """Do work on several items at a time, and give the results in their order; a few are held at a time."""
    cores = count_cores()
    ahead: deque[tuple[Item, Future[Result]]] = deque()
    with ThreadPoolExecutor(cores) as threads:
        try:
            for item in items:
                ahead.append((item, threads.submit(work, item)))
                if len(ahead) > 2 * cores:
                    yield ahead[0][0], ahead.popleft()[1].result()
            while ahead:
                yield ahead[0][0], ahead.popleft()[1].result()
        except BusyError:
            raise WorkError(STOPPED) from None
        finally:
            for _, future in ahead:
                future.cancel()

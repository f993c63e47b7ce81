"""The errors that a user may see.

    AppError            every message says what came and what to do
    ├── UsageError      the call was wrong                       exit code 2
    ├── InputError      what was given can't be used             exit code 3
    │   ├── ImageError      an image file, its pixels or a region of interest
    │   ├── ClinicalError   a clinical value
    │   └── TableError      a cohort, manifest or prediction table
    ├── ArchiveError    the archive (PACS) did not do what was asked       exit code 1
    ├── ModelError      a bundle or backbone is damaged or does not fit   exit code 1
    └── WorkError       the work itself failed                    exit code 1
        └── BusyError       it can't be taken on now; nothing is wrong with what was given

Pages and the command line catch `AppError` in one place; anything else is a fault of ours.
No message carries a patient's name, a file's name or a DICOM tag's value.
"""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager


class AppError(Exception):
    """Root of the errors whose message is meant for the user."""

    exit_code = 1


class UsageError(AppError):
    """The call was wrong."""

    exit_code = 2


class InputError(AppError):
    """What was given can't be used."""

    exit_code = 3


class ImageError(InputError):
    """An image file, its pixels or a region of interest can't be used."""


class ClinicalError(InputError):
    """A clinical value can't be used."""


class TableError(InputError):
    """A cohort, manifest or prediction table can't be used.

    Parameters
    ----------
    message : str
        What came and what to do.
    rows : tuple of (int, str)
        Row number in the file (the header is row 1) and reason, for each row that was refused.
    column : str
        Column of the file that it is about; "" where it is about none.
    """

    def __init__(self, message: str, rows: tuple[tuple[int, str], ...] = (), column: str = "") -> None:
        super().__init__(message)
        self.rows, self.column = rows, column


class ModelError(AppError):
    """A bundle or backbone is damaged or does not fit."""


class ArchiveError(AppError):
    """The archive (PACS) did not do what was asked.

    Parameters
    ----------
    message : str
        What came and what to do.
    is_temporary : bool
        Whether the same call may succeed later.
    """

    def __init__(self, message: str, *, is_temporary: bool = False) -> None:
        super().__init__(message)
        self.is_temporary = is_temporary


class WorkError(AppError):
    """The work itself failed."""


class BusyError(WorkError):
    """The work can't be taken on now: others are before it, or the program is closing. Never a verdict on the input."""


def name_cause(error: OSError) -> str:
    """Name what a disk or file system reports; numpy tells of a write that was cut short without saying why."""
    return os.strerror(error.errno or errno.ENOSPC)


@contextmanager
def hide_faults(sentence: str) -> Iterator[None]:
    """End a thread's work with a sentence of ours, whatever it raises: another message may hold a patient's values."""
    try:
        yield
    except AppError:
        raise
    except Exception:  # noqa: BLE001 - the last door of a thread
        raise WorkError(sentence) from None

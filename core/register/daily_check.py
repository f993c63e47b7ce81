"""The record verified once a day in the background, with what was found and when."""

import datetime
import threading
from collections.abc import Callable
from dataclasses import dataclass

from core.errors import AppError, hide_faults
from core.register.chain import ChainReport

DAY = datetime.timedelta(days=1)


@dataclass(frozen=True)
class CheckedRecord:
    """What a verification found."""

    time_utc: datetime.datetime  # when it ended
    report: ChainReport | None  # what it found; None where it could not be done
    failure: str = ""  # why it could not be done

    def describe(self) -> str:
        """Say it in a sentence."""
        when = f"{self.time_utc:%Y-%m-%d %H:%M} UTC"
        if self.report is None:
            return f"The record could not be verified ({when}): {self.failure}"
        if not self.report.holds:
            found = f"**The record does not hold** (verified {when}): {self.report.reason}."
            return f"{found} Tell the database administrator."
        last = f", the last {self.report.last_hash[:16]}" if self.report.entries else ""
        return f"The record holds: {self.report.entries:,} entries{last}. Verified {when}, and daily."


class DailyCheck:
    """Verifies when it is asked and the last time is a day ago.

    Parameters
    ----------
    verify : callable
        Verifies the whole chain.
    """

    def __init__(self, verify: Callable[[], ChainReport]) -> None:
        self._verify = verify
        self._guard = threading.Lock()
        self._thread: threading.Thread | None = None
        self._found: CheckedRecord | None = None

    def read(self, wait_seconds: float = 2.0) -> CheckedRecord | None:
        """Give what was found last, and start the next verification where it is due."""
        with self._guard:
            due = self._found is None or datetime.datetime.now(datetime.UTC) - self._found.time_utc >= DAY
            if due and self._thread is None:
                self._thread = threading.Thread(target=self._work, name="daily check", daemon=True)
                self._thread.start()
            thread = self._thread
        if thread is not None:
            thread.join(wait_seconds)
        return self._found

    def _work(self) -> None:
        report, failure = None, ""
        try:
            with hide_faults("a fault of the program."):
                report = self._verify()
        except AppError as error:
            failure = str(error)
        with self._guard:
            self._found = CheckedRecord(datetime.datetime.now(datetime.UTC), report, failure)
            self._thread = None

"""The record is verified once a day, and the page says when and with what result."""

import datetime
import threading

import pytest

from core.errors import WorkError
from core.register import daily_check
from core.register.chain import ChainReport
from core.register.daily_check import DailyCheck

HOLDS = ChainReport(3, None, "", "a" * 64)


class Clock(datetime.datetime):
    """A clock that the test sets."""

    at = datetime.datetime(2026, 5, 7, 14, 30, tzinfo=datetime.UTC)

    @classmethod
    def now(cls, tz=None):
        return cls.at


@pytest.fixture
def clock(monkeypatch) -> type[Clock]:
    monkeypatch.setattr(daily_check.datetime, "datetime", Clock)
    return Clock


def test_it_is_verified_once_a_day(clock):
    calls = []
    check = DailyCheck(lambda: calls.append(1) or HOLDS)
    for _ in range(3):
        assert check.read(60).describe() == (
            "The record holds: 3 entries, the last aaaaaaaaaaaaaaaa. Verified 2026-05-07 14:30 UTC, and daily."
        )
    assert len(calls) == 1
    clock.at += datetime.timedelta(hours=24)
    assert "2026-05-08 14:30" in check.read(60).describe()
    assert len(calls) == 2


def test_a_broken_record_and_a_failure_are_said(clock):
    broken = DailyCheck(lambda: ChainReport(3, 2, "entry 2 was changed", "a" * 64)).read(60)
    assert broken.describe().startswith("**The record does not hold**")
    assert "entry 2 was changed" in broken.describe()

    def fail() -> ChainReport:
        raise WorkError("The database is away.")

    assert "could not be verified" in DailyCheck(fail).read(60).describe()
    assert "a fault of the program" in DailyCheck(lambda: 1 / 0).read(60).describe()


def test_a_page_does_not_wait_for_a_long_record():
    go_on = threading.Event()
    check = DailyCheck(lambda: go_on.wait(60) and HOLDS)
    assert check.read(0.01) is None
    go_on.set()
    assert check.read(60).report == HOLDS

"""Turns: one for each owner at a time, and the places go round between owners."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context

import pytest

from core.errors import BusyError
from core.turns import OWNER, Turns


class Crowd:
    """Owners whose work ends when it is told to."""

    def __init__(self, places):
        self.turns = Turns("own", "others", places)
        self.threads = ThreadPoolExecutor(16)
        self.begun, self.ends, self.jobs = [], {}, []

    def come(self, owner, name):
        """Let work ask for its turn, and wait until it stands in the row or runs."""
        self.ends[name] = threading.Event()
        self.jobs.append(self.threads.submit(copy_context().run, self._work, owner, name))
        time.sleep(0.05)

    def end(self, *names):
        for name in names:
            self.ends[name].set()
            time.sleep(0.05)

    def _work(self, owner, name):
        OWNER.set(owner)
        with self.turns.take(30):
            self.begun.append(name)
            assert self.ends[name].wait(30)

    def close(self):
        for end in self.ends.values():
            end.set()
        for job in self.jobs:
            job.result(30)
        self.threads.shutdown()


@pytest.fixture
def crowd(request):
    made = Crowd(request.param)
    yield made
    made.close()


@pytest.mark.parametrize("crowd", [4], indirect=True)
def test_one_owner_leaves_the_other_places_free(crowd):
    for i in range(6):
        crowd.come("a", f"a{i}")
    for owner in "bcd":
        crowd.come(owner, owner)
    assert crowd.begun == ["a0", "b", "c", "d"]


@pytest.mark.parametrize("crowd", [1], indirect=True)
def test_the_places_go_round(crowd):
    for owner, name in (("a", "a0"), ("a", "a1"), ("a", "a2"), ("b", "b0"), ("b", "b1"), ("c", "c0")):
        crowd.come(owner, name)
    crowd.end("a0", "b0", "c0", "a1", "b1", "a2")
    assert crowd.begun == ["a0", "b0", "c0", "a1", "b1", "a2"]


@pytest.mark.parametrize("crowd", [2], indirect=True)
def test_without_an_owner_all_places_are_used(crowd):
    for name in "xyz":
        crowd.come("", name)
    assert crowd.begun == ["x", "y"]


@pytest.mark.parametrize("crowd", [1], indirect=True)
def test_who_waits_too_long_is_told_for_what_and_loses_the_place_in_the_row(crowd):
    crowd.come("a", "a")
    for owner, sentence in (("a", "own"), ("b", "others")):
        token = OWNER.set(owner)
        with pytest.raises(BusyError, match=sentence), crowd.turns.take(0.01):
            pass
        OWNER.reset(token)
    crowd.come("c", "c")
    crowd.end("a")
    assert crowd.begun == ["a", "c"]


def test_a_failure_gives_its_place_back():
    turns = Turns("own", "others", 1)
    with pytest.raises(ZeroDivisionError), turns.take(1):
        raise ZeroDivisionError
    with turns.take(0):
        pass

"""Files are held by ticket: for as long as the ticket is kept, and within their total size."""

import gc
import hashlib
import pickle
from importlib.util import module_from_spec

import pytest

from core import settings
from core.errors import ImageError
from core.imaging import uploads


@pytest.fixture
def hold_file(monkeypatch):
    """Hold a file where there is room for 100 bytes, with nothing in it: in the module, loaded once more."""
    monkeypatch.setenv("SONOKI_HELD_BYTES", "100")
    settings.forget_settings()
    alone = module_from_spec(uploads.__spec__)
    uploads.__spec__.loader.exec_module(alone)
    yield alone.hold_file
    monkeypatch.undo()
    settings.forget_settings()


def test_a_ticket_gives_its_file_and_holds_none_of_it():
    file = uploads.hold_file(b"Planted^Patricia")
    assert file.read() == b"Planted^Patricia"
    assert file.sha256 == hashlib.sha256(b"Planted^Patricia").hexdigest()
    assert b"Planted" not in pickle.dumps(file)
    assert "Planted" not in repr(vars(file))


def test_a_file_goes_with_the_last_reference_to_its_ticket(hold_file):
    large, small = hold_file(bytes(60), "a"), hold_file(bytes(30), "b")
    again = small
    del small
    gc.collect()
    assert len(again.read()) == 30
    del again
    gc.collect()
    hold_file(bytes(40), "c")
    assert len(large.read()) == 60


def test_the_file_that_was_not_read_for_the_longest_time_makes_room(hold_file):
    first, second = hold_file(bytes(40)), hold_file(bytes(41))
    first.read()
    third = hold_file(bytes(42))
    with pytest.raises(ImageError, match=r"no longer held.*Upload it again\."):
        second.read()
    assert (len(first.read()), len(third.read())) == (40, 42)


def test_a_single_file_is_held_whatever_its_size(hold_file):
    assert len(hold_file(bytes(500)).read()) == 500


def test_an_owner_makes_room_for_itself_first(hold_file):
    others, own = hold_file(bytes(40), "a"), hold_file(bytes(40), "b")
    more = [hold_file(bytes(30), "b") for _ in range(6)]
    assert len(others.read()) == 40
    assert len(more[-1].read()) == 30
    with pytest.raises(ImageError, match="no longer held"):
        own.read()


def test_who_holds_the_most_makes_room_for_a_newcomer(hold_file):
    small, large = hold_file(bytes(20), "a"), [hold_file(bytes(35), "b") for _ in range(2)]
    fresh = hold_file(bytes(30), "c")
    assert (len(small.read()), len(fresh.read()), len(large[1].read())) == (20, 30, 35)
    with pytest.raises(ImageError, match="no longer held"):
        large[0].read()

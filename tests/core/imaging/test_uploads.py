"""Files are held by ticket: for as long as the ticket is kept, and within their total size."""

import gc
import hashlib
import pickle

import pytest

from core import settings
from core.errors import ImageError
from core.imaging import uploads as store
from core.imaging.uploads import hold_file


@pytest.fixture
def room(monkeypatch):
    """Room for 100 bytes, with nothing in it."""
    monkeypatch.setenv("SONOKI_HELD_BYTES", "100")
    monkeypatch.setattr(store, "_files", type(store._files)())
    settings.forget_settings()
    yield
    monkeypatch.undo()
    settings.forget_settings()


def test_a_ticket_gives_its_file_and_holds_none_of_it():
    file = hold_file(b"Planted^Patricia")
    assert file.read() == b"Planted^Patricia"
    assert file.sha256 == hashlib.sha256(b"Planted^Patricia").hexdigest()
    assert b"Planted" not in pickle.dumps(file)
    assert "Planted" not in repr(vars(file))


def test_a_file_goes_with_the_last_reference_to_its_ticket(room):
    large, small = hold_file(bytes(60), "a"), hold_file(bytes(30), "b")
    again = small
    del small
    gc.collect()
    assert len(again.read()) == 30
    del again
    gc.collect()
    hold_file(bytes(40), "c")
    assert len(large.read()) == 60


def test_the_file_that_was_not_read_for_the_longest_time_makes_room(room):
    first, second = hold_file(bytes(40)), hold_file(bytes(41))
    first.read()
    third = hold_file(bytes(42))
    with pytest.raises(ImageError, match=r"no longer held.*Upload it again\."):
        second.read()
    assert (len(first.read()), len(third.read())) == (40, 42)


def test_a_single_file_is_held_whatever_its_size(room):
    assert len(hold_file(bytes(500)).read()) == 500


def test_an_owner_makes_room_for_itself_first(room):
    others, own = hold_file(bytes(40), "a"), hold_file(bytes(40), "b")
    more = [hold_file(bytes(30), "b") for _ in range(6)]
    assert len(others.read()) == 40
    assert len(more[-1].read()) == 30
    with pytest.raises(ImageError, match="no longer held"):
        own.read()


def test_who_holds_the_most_makes_room_for_a_newcomer(room):
    small, large = hold_file(bytes(20), "a"), [hold_file(bytes(35), "b") for _ in range(2)]
    fresh = hold_file(bytes(30), "c")
    assert (len(small.read()), len(fresh.read()), len(large[1].read())) == (20, 30, 35)
    with pytest.raises(ImageError, match="no longer held"):
        large[0].read()

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
    settings._values.cache_clear()
    yield
    monkeypatch.undo()
    settings._values.cache_clear()


def test_a_ticket_gives_its_file_and_holds_none_of_it():
    file = hold_file(b"Planted^Patricia")
    assert file.read() == b"Planted^Patricia"
    assert file.sha256 == hashlib.sha256(b"Planted^Patricia").hexdigest()
    assert b"Planted" not in pickle.dumps(file)
    assert "Planted" not in repr(vars(file))


def test_a_file_goes_with_the_last_reference_to_its_ticket(room):
    file = hold_file(b"a")
    again = file
    del file
    gc.collect()
    assert len(store._files) == 1
    del again
    gc.collect()
    assert len(store._files) == 0


def test_the_file_that_was_not_read_for_the_longest_time_makes_room(room):
    first, second = hold_file(bytes(40)), hold_file(bytes(41))
    first.read()
    third = hold_file(bytes(42))
    with pytest.raises(ImageError, match=r"no longer held.*Upload it again\."):
        second.read()
    assert (len(first.read()), len(third.read())) == (40, 42)


def test_a_single_file_is_held_whatever_its_size(room):
    assert len(hold_file(bytes(500)).read()) == 500

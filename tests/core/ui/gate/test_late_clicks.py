"""A download's request that comes after its page was drawn anew gets its file; later nothing of it is kept."""

import pytest
from streamlit.runtime.media_file_manager import MediaFileManager
from streamlit.runtime.media_file_storage import MediaFileStorageError
from streamlit.runtime.memory_media_file_storage import MemoryMediaFileStorage

from core.ui.gate import late_clicks
from core.ui.gate.late_clicks import GRACE_S, spare_late_clicks

PLACE = "1.(3.-14).5"


@pytest.fixture
def clock(monkeypatch):
    """Time as the grace sees it, set by hand."""

    class Clock:
        now = 0.0

        def monotonic(self) -> float:
            return self.now

    clock = Clock()
    monkeypatch.setattr(late_clicks, "time", clock)
    return clock


@pytest.fixture
def storage():
    return MemoryMediaFileStorage("/media")


@pytest.fixture
def manager(storage):
    manager = MediaFileManager(storage)
    spare_late_clicks(manager)
    return manager


def draw(manager: MediaFileManager, data: bytes) -> str:
    """Draw a page with one download as a run does: let go of what was shown, register what is, clear the rest."""
    manager.clear_session_refs()
    file = manager.add_deferred(lambda: data, "text/csv", PLACE, "a.csv")
    manager.remove_orphaned_files()
    return file


def read(storage: MemoryMediaFileStorage, address: str) -> bytes:
    return storage.get_file(address.rsplit("/", 1)[1]).content


def test_a_click_that_arrives_after_its_page_was_drawn_anew_gets_its_own_file(clock, manager, storage):
    clicked = draw(manager, b"before")
    draw(manager, b"after")
    clock.now += GRACE_S / 2
    draw(manager, b"later")
    assert read(storage, manager.execute_deferred(clicked)) == b"before"


def test_a_file_that_was_made_stays_until_the_browser_has_asked_for_it(clock, manager, storage):
    address = manager.execute_deferred(draw(manager, b"before"))
    for _ in range(3):
        draw(manager, b"after")
    clock.now += GRACE_S / 2
    draw(manager, b"later")
    assert read(storage, address) == b"before"


def test_a_file_whose_session_is_over_goes_though_nobody_draws_another_page(clock, manager, storage):
    address = manager.execute_deferred(draw(manager, b"a patient's"))
    manager.clear_session_refs()
    manager.remove_orphaned_files()
    clock.now += GRACE_S
    manager.remove_orphaned_files()
    with pytest.raises(MediaFileStorageError):
        read(storage, address)


def test_nothing_that_no_page_shows_is_kept_for_longer(clock, manager, storage):
    clicked = draw(manager, b"before")
    address = manager.execute_deferred(clicked)
    draw(manager, b"after")
    for _ in range(2):
        clock.now += GRACE_S
        draw(manager, b"later")
    with pytest.raises(MediaFileStorageError):
        manager.execute_deferred(clicked)
    with pytest.raises(MediaFileStorageError):
        read(storage, address)


def test_what_is_shown_again_is_not_forgotten(clock, manager, storage):
    def show(data: bytes) -> str:
        manager.clear_session_refs()
        address = manager.add(data, "text/csv", PLACE, "a.csv", is_for_static_download=True)
        manager.remove_orphaned_files()
        return address

    first = show(b"one")
    for _ in range(3):
        show(b"two")
        clock.now += 0.6 * GRACE_S
        assert show(b"one") == first
        clock.now += 0.6 * GRACE_S
    show(b"two")
    assert read(storage, first) == b"one"


def test_a_disabled_button_makes_nothing_at_once(manager):
    clicked = draw(manager, b"before")
    manager.remove_deferred(PLACE)
    with pytest.raises(MediaFileStorageError):
        manager.execute_deferred(clicked)

"""Uploads on their way to pages: bounded for a session, a person and all, so that nobody fills what is for all."""

import asyncio
from types import SimpleNamespace

import pytest
from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager
from streamlit.runtime.uploaded_file_manager import UploadedFileRec

from core.ui.gate import uploads
from core.ui.gate.uploads import FRAMING, TooMuchError, Uploads

MB = 1 << 20


@pytest.fixture
def kept(monkeypatch):
    """Streamlit's memory of uploads, with room for 100 MB in all and 30 MB a session."""
    memory = MemoryUploadedFileManager("/upload")
    monkeypatch.setattr(uploads, "get_instance", lambda: SimpleNamespace(uploaded_file_mgr=memory))
    limits = {"held_bytes": 100 * MB, "max_bytes": 30 * MB - FRAMING}
    monkeypatch.setattr(uploads, "get_setting", limits.__getitem__)
    return memory


def send(counter, memory, session, size, person="", name="file"):
    """Upload a file of so many MB as the gate does."""
    data = bytes(size * MB)

    async def receive():
        return {"type": "http.request", "body": data}

    with counter.count(session, receive, person) as counted:
        asyncio.run(counted())
        memory.add_file(session, UploadedFileRec(name, name, "", data))


def list_sessions(memory):
    return {session for session, files in memory.file_storage.items() if files}


def test_a_person_with_many_pages_leaves_room_for_others(kept):
    counter = Uploads()
    for i in range(8):
        send(counter, kept, f"page {i}", 25, "a")
    assert list_sessions(kept) == {"page 6", "page 7"}
    send(counter, kept, "other", 30, "b")
    assert list_sessions(kept) == {"page 6", "page 7", "other"}


def test_nobody_makes_room_for_a_person_who_has_nothing_to_give(kept):
    counter = Uploads()
    for person in "ab":
        for i in range(2):
            send(counter, kept, f"{person} {i}", 25, person)
    with pytest.raises(TooMuchError):
        send(counter, kept, "c 0", 1, "c")
    send(counter, kept, "b 2", 1, "b")
    assert list_sessions(kept) == {"a 0", "a 1", "b 1", "b 2"}


def test_a_page_keeps_its_own_files_and_is_refused_at_its_limit(kept):
    counter = Uploads()
    send(counter, kept, "page", 20, "a", "first")
    with pytest.raises(TooMuchError):
        send(counter, kept, "page", 20, "a", "second")
    assert list(kept.file_storage["page"]) == ["first"]


def test_without_login_each_session_is_a_person(kept):
    counter = Uploads()
    for i in range(4):
        send(counter, kept, f"page {i}", 25)
    assert len(list_sessions(kept)) == 4
    with pytest.raises(TooMuchError):
        send(counter, kept, "page 4", 25)
    assert len(list_sessions(kept)) == 4
    kept.remove_session_files("page 0")
    send(counter, kept, "page 4", 25)


def test_what_is_still_coming_counts_for_the_person(kept):
    counter = Uploads()

    async def receive():
        return {"type": "http.request", "body": bytes(25 * MB)}

    with counter.count("one", receive, "a") as first, counter.count("two", receive, "a") as second:
        asyncio.run(first())
        asyncio.run(second())
        with pytest.raises(TooMuchError):
            send(counter, kept, "three", 1, "a")
    send(counter, kept, "three", 1, "a")

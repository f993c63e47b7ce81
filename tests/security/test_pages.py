"""What no page sends: it ends nobody's work, and the session goes on."""

import asyncio
from contextlib import suppress

import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg
from websockets.exceptions import ConnectionClosed

from core.benchmark.pages import UPLOADER, draw_images
from core.benchmark.visitor import Visitor
from core.ui.gate.stream import MOST_BYTES, TOO_BIG
from tests.load.clinic import ESTIMATE, PAGE
from tests.security.client import Stranger


def write(kind: str) -> BackMsg:
    message = BackMsg()
    if kind in ("install_skills", "dismiss_skills_nudge"):
        getattr(message.backend_operation_request, kind).SetInParent()
    else:
        setattr(message, kind, True)
    return message


HARMFUL = ["clear_cache", "set_run_on_save", "load_git_info", "debug_shutdown_runtime", "debug_disconnect_websocket"]
HARMFUL += ["install_skills", "dismiss_skills_nudge"]


def test_no_message_ends_anothers_work(local: str) -> None:
    """A doctor's estimate stands, and is recomputed at once, whatever another session sent meanwhile."""

    async def work() -> None:
        doctor, stranger = Visitor(local, 120), Stranger(local)
        await doctor.open(PAGE)
        await doctor.upload(UPLOADER, draw_images(1)[0])
        first = await doctor.press("Estimate")
        assert any(ESTIMATE in text for text in first.texts)
        assert await stranger.knock() == 101
        for kind in HARMFUL:
            await stranger.send(write(kind))
        assert await stranger.open("Model")
        again = await doctor.move("number_input", "Age (years)", 61.0)
        assert again.errors == []
        assert any(ESTIMATE in text for text in again.texts)
        await stranger.leave()
        await doctor.close()

    asyncio.run(work())


@pytest.mark.parametrize("noise", [b"\xff\xff\xff\xff", "text", b"\x00" * 1000])
def test_noise_closes_its_own_socket_alone(local: str, noise: bytes | str) -> None:
    async def shout() -> None:
        stranger, other = Stranger(local), Stranger(local)
        assert await stranger.knock() == await other.knock() == 101
        await stranger.send(noise)
        assert await stranger.hear("none", seconds=20) is None
        assert await other.open("Model")
        await stranger.leave()
        await other.leave()

    asyncio.run(shout())


def test_a_message_of_many_megabytes_is_not_held(local: str) -> None:
    async def shout() -> None:
        stranger, other = Stranger(local), Stranger(local)
        assert await stranger.knock() == await other.knock() == 101
        with suppress(ConnectionClosed):
            await stranger.send(bytes(60_000_000))
            await stranger.hear("none", seconds=20)
        assert stranger.socket is not None
        assert stranger.socket.close_code == TOO_BIG
        assert f"exceeds limit of {MOST_BYTES}" in (stranger.socket.close_reason or "")  # before it was read
        assert await other.open("Model")
        await other.leave()

    asyncio.run(shout())


def test_a_flood_of_reruns_is_slowed_down(local: str) -> None:
    async def flood() -> None:
        stranger, other = Stranger(local), Stranger(local)
        assert await stranger.knock() == await other.knock() == 101
        for _ in range(400):
            message = BackMsg()
            message.rerun_script.page_name = "Model"
            await stranger.send(message)
        assert await other.open("Model")
        await stranger.leave()
        await other.leave()

    asyncio.run(flood())


def test_another_sessions_download_is_not_made(local: str) -> None:
    async def take() -> None:
        doctor, stranger = Stranger(local), Stranger(local)
        assert await doctor.knock() == await stranger.knock() == 101
        assert await doctor.open("Cohort")
        assert await stranger.open("Model")
        assert doctor.deferred
        for file in doctor.deferred:
            message = BackMsg()
            request = message.backend_operation_request
            request.request_id, request.session_id, request.deferred_file.file_id = "r", stranger.session, file
            await stranger.send(message)
        assert await stranger.hear("backend_operation_response", seconds=5) is None
        await doctor.leave()
        await stranger.leave()

    asyncio.run(take())

"""A rerun whose widgets, page, fragment or browser are odd: nothing breaks, nothing of another is shown or logged."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.Common_pb2 import FileURLs
from streamlit.proto.WidgetStates_pb2 import WidgetState

from core.benchmark.pages import UPLOADER, draw_images
from tests.pages.serving import ROOT, find_port, wait_until_well
from tests.security.client import Stranger

SECRET = "Smithers Annabel\n2026-11-26 forged line"


@pytest.fixture(scope="module")
def logged(bundle_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """The app, and the file of all that it prints and logs."""
    port, home = find_port(), tmp_path_factory.mktemp("logged")
    variables = {"SONOKI_START_TOKEN": "off", "SONOKI_BUNDLE": str(bundle_dir), "XDG_DATA_HOME": str(home)}
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port)]
    with (home / "log").open("wb") as log:
        server = subprocess.Popen(command, cwd=ROOT, env=os.environ | variables, stdout=log, stderr=log)
    try:
        wait_until_well(f"http://127.0.0.1:{port}/_stcore/health", server)
        yield f"http://127.0.0.1:{port}", home / "log"
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(60)


VALUES = {
    "trigger_value": True,
    "bool_value": True,
    "double_value": float("nan"),
    "int_value": -(2**62),
    "string_value": SECRET,
    "json_value": '{"x": "' + SECRET + '"}',
    "bytes_value": SECRET.encode(),
    "json_trigger_value": "{" * 1000 + SECRET,
}


def set_odd(widget: WidgetState, kind: str) -> None:
    """Give a widget a value of a kind that may not be its own."""
    if kind in VALUES:
        setattr(widget, kind, VALUES[kind])
    elif kind == "arrow_value":
        widget.arrow_value.data = SECRET.encode()
    elif kind == "file_uploader_state_value":
        uploaded = widget.file_uploader_state_value.uploaded_file_info
        uploaded.add(name=f"../../{SECRET}", size=2**62, file_id=SECRET, file_urls=FileURLs(file_id=SECRET))
    elif kind == "double_array_value":
        widget.double_array_value.data.extend([float("inf")] * 3)
    elif kind == "int_array_value":
        widget.int_array_value.data.extend([2**62] * 3)
    elif kind == "string_array_value":
        widget.string_array_value.data.append(SECRET)
    else:
        getattr(widget, kind).data = SECRET


KINDS = [kind.name for kind in WidgetState.DESCRIPTOR.oneofs_by_name["value"].fields]


def send_odd_page(message: BackMsg) -> None:
    message.rerun_script.page_name = f"../../etc/{SECRET}"
    message.rerun_script.page_script_hash = SECRET


def send_odd_fragment(message: BackMsg) -> None:
    message.rerun_script.fragment_id = SECRET
    message.rerun_script.is_auto_rerun = True


def send_odd_browser(message: BackMsg) -> None:
    browser = message.rerun_script.context_info
    browser.timezone, browser.timezone_offset, browser.locale = f"../{SECRET}", 2**31 - 1, SECRET * 100
    browser.url, browser.color_scheme, browser.is_embedded = f"javascript:{SECRET}", SECRET, True
    message.rerun_script.query_string = f"embed=true&patient={SECRET}&" + "a=b&" * 5_000
    message.rerun_script.cached_message_hashes.extend([SECRET] * 1_000)


def send_odd_files(message: BackMsg) -> None:
    message.file_urls_request.request_id = message.file_urls_request.session_id = SECRET
    message.file_urls_request.file_names.extend([f"../{SECRET}"] * 50)


def send_odd_chunk(message: BackMsg) -> None:
    request = message.backend_operation_request
    request.request_id = request.session_id = request.dataframe_chunk.source_id = SECRET
    request.dataframe_chunk.offset, request.dataframe_chunk.limit = 2**63, 2**31


def stop(message: BackMsg) -> None:
    message.stop_script = True


ODD: list[Callable[[BackMsg], None]] = [
    send_odd_page,
    send_odd_fragment,
    send_odd_browser,
    send_odd_files,
    send_odd_chunk,
    stop,
]


@pytest.mark.parametrize("change", ODD)
def test_an_odd_message_breaks_nothing(logged: tuple[str, Path], change: Callable[[BackMsg], None]) -> None:
    address, log = logged

    async def send() -> None:
        stranger, other = Stranger(address), Stranger(address)
        assert await stranger.knock() == await other.knock() == 101
        message = BackMsg()
        change(message)
        await stranger.send(message)
        assert await stranger.reach("Model", "Research use only")
        assert await other.reach("Model", "Research use only")
        assert SECRET not in other.text
        await stranger.leave()
        await other.leave()

    asyncio.run(send())
    written = log.read_text()
    assert "Smithers" not in written
    assert "Traceback" not in written


@pytest.mark.parametrize("page", ["Case", "Survival"])
def test_widgets_with_values_of_wrong_kinds_break_their_own_session_at_most(
    logged: tuple[str, Path], page: str
) -> None:
    """Every widget of the page, and one that does not exist, gets a value of each kind; each time in a new session."""
    address, log = logged

    async def send(kind: str) -> None:
        stranger, message = Stranger(address), BackMsg()
        assert await stranger.knock() == 101
        assert await stranger.open(page)
        message.rerun_script.page_name = page
        for widget in [*stranger.view.widgets.values(), "$$ID-none-none"]:
            set_odd(message.rerun_script.widget_states.widgets.add(id=widget), kind)
        assert await stranger.run(message)
        assert "Traceback" not in stranger.text
        await stranger.leave()

    async def send_all() -> None:
        for kind in KINDS:
            await send(kind)
        doctor = Stranger(address)
        assert await doctor.knock() == 101
        assert await doctor.open(page)
        assert "Research use only" in doctor.text
        await doctor.leave()

    asyncio.run(send_all())
    assert "\n2026-11-26 forged line" not in log.read_text()


def test_another_sessions_upload_is_not_read(logged: tuple[str, Path]) -> None:
    """The id of another's file, and its address, in one's own uploader."""
    address, _ = logged

    async def take() -> None:
        owner, other = Stranger(address), Stranger(address)
        assert await owner.knock() == await other.knock() == 101
        assert await owner.open("Case")
        assert await other.open("Case")
        assert await owner.upload(UPLOADER, draw_images(1)[0], "image.png")
        assert "image" in owner.text
        message = BackMsg()
        message.rerun_script.page_name = "Case"
        widget = message.rerun_script.widget_states.widgets.add(id=other.view.widgets[f"file_uploader: {UPLOADER}"])
        info = widget.file_uploader_state_value.uploaded_file_info.add(name="image.png", size=1, file_id=owner.given)
        info.file_urls.file_id = owner.given
        info.file_urls.upload_url = f"/_stcore/upload_file/{owner.session}/{owner.given}"
        assert await other.run(message)
        assert not other.media
        await owner.leave()
        await other.leave()

    asyncio.run(take())

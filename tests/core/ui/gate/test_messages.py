"""What passes of a browser's messages, and how fast."""

import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg

from core.ui.gate.messages import Pace, leave_login_alone, may_pass, read_message
from core.ui.login import LOGIN_KEY


def message(kind: str) -> BackMsg:
    made = BackMsg()
    if kind in ("deferred_file", "dataframe_chunk", "install_skills", "dismiss_skills_nudge"):
        getattr(made.backend_operation_request, kind).SetInParent()
    elif kind in ("rerun_script", "file_urls_request", "backend_operation_request"):
        getattr(made, kind).SetInParent()
    else:
        setattr(made, kind, True)
    return made


@pytest.mark.parametrize(
    ("kind", "passes"),
    [
        ("rerun_script", True),
        ("stop_script", True),
        ("app_heartbeat", True),
        ("file_urls_request", True),
        ("deferred_file", True),
        ("dataframe_chunk", True),
        ("clear_cache", False),
        ("set_run_on_save", False),
        ("load_git_info", False),
        ("debug_disconnect_websocket", False),
        ("debug_shutdown_runtime", False),
        ("install_skills", False),
        ("dismiss_skills_nudge", False),
        ("backend_operation_request", False),
    ],
)
def test_only_what_a_page_needs_passes(kind: str, passes: bool) -> None:
    assert may_pass(message(kind)) is passes


def test_every_kind_of_message_that_streamlit_knows_was_thought_of() -> None:
    """A new version's new message is dropped until it is looked at."""
    tested = {name for name, _ in test_only_what_a_page_needs_passes.pytestmark[0].args[1]}
    known = {field.name for field in BackMsg.DESCRIPTOR.oneofs_by_name["type"].fields}
    assert known <= tested
    assert not may_pass(BackMsg())


def test_a_flood_of_upload_addresses_does_not_pass() -> None:
    made = message("file_urls_request")
    made.file_urls_request.file_names.extend(["a"] * 51)
    assert not may_pass(made)


@pytest.mark.parametrize("given", ["a\nWARNING forged", "Annabel Smithers", "x" * 129, "../x", "\u0661"])
def test_an_id_that_is_none_does_not_pass(given: str) -> None:
    for kind, part, name in (
        ("rerun_script", "rerun_script", "fragment_id"),
        ("rerun_script", "rerun_script", "page_script_hash"),
        ("file_urls_request", "file_urls_request", "request_id"),
        ("deferred_file", "backend_operation_request", "session_id"),
    ):
        made = message(kind)
        setattr(getattr(made, part), name, "0a1b-2c")
        assert may_pass(made)
        setattr(getattr(made, part), name, given)
        assert not may_pass(made)
    chunk = message("dataframe_chunk")
    chunk.backend_operation_request.dataframe_chunk.source_id = given
    assert not may_pass(chunk)


@pytest.mark.parametrize("data", [b"\xff\xff\xff", b"\x0a", b"GET / HTTP/1.1"])
def test_noise_is_no_message(data: bytes) -> None:
    assert read_message(data) is None


def test_who_is_not_logged_in_reaches_the_login_alone() -> None:
    made = message("rerun_script")
    made.rerun_script.fragment_id, made.rerun_script.page_name = "f", "Case"
    for name in ("$$ID-abc-case_upload_0", f"$$ID-abc-{LOGIN_KEY}", f"$$ID-{LOGIN_KEY}-x"):
        made.rerun_script.widget_states.widgets.add().id = name
    assert leave_login_alone(made)
    assert [widget.id for widget in made.rerun_script.widget_states.widgets] == [f"$$ID-abc-{LOGIN_KEY}"]
    assert (made.rerun_script.fragment_id, made.rerun_script.page_name) == ("", "Case")
    assert not any(map(leave_login_alone, map(message, ("deferred_file", "dataframe_chunk", "file_urls_request"))))


def test_a_flood_waits_and_a_click_does_not() -> None:
    pace = Pace(10, 5)
    waits = [pace.wait() for _ in range(25)]
    assert waits[:5] == [0.0] * 5
    assert waits[-1] == pytest.approx(2.0, abs=0.1)
    assert waits == sorted(waits)

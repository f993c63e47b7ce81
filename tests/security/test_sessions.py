"""What a session leaves is gone when it is over."""

from unittest.mock import patch

from core.ui import session


class Thing:
    """Notes that it was closed."""

    closed = 0

    def close(self) -> None:
        self.closed += 1


class Server:
    """Knows who is there."""

    def __init__(self) -> None:
        self.active, self.ended = {"a", "b"}, []

    def is_active_session(self, name: str) -> bool:
        return name in self.active

    def close_session(self, name: str) -> None:
        self.ended.append(name)


class Context:
    """A page of a session that runs."""

    def __init__(self, name: str) -> None:
        self.session_id, self.user_info = name, {}


def test_things_are_closed_once_the_browser_has_been_away_for_long() -> None:
    server, things = Server(), {"a": Thing(), "b": Thing()}
    for name, thing in things.items():
        with patch.object(session, "get_script_run_ctx", return_value=Context(name)):
            session.end_with_session(thing)
    with (
        patch.object(session, "get_instance", return_value=server),
        patch.object(session.st, "get_option", return_value=120),
        patch.object(session.time, "monotonic") as clock,
    ):
        clock.return_value = 0.0
        server.active = {"b"}
        assert [name for name in session.close_ended_sessions() if name in things] == []
        clock.return_value = 119.0
        assert [name for name in session.close_ended_sessions() if name in things] == []
        server.active = {"a", "b"}
        assert [name for name in session.close_ended_sessions() if name in things] == []
        server.active = {"b"}
        clock.return_value = 200.0
        assert [name for name in session.close_ended_sessions() if name in things] == []
        clock.return_value = 320.0
        assert [name for name in session.close_ended_sessions() if name in things] == ["a"]
        assert [name for name in session.close_ended_sessions() if name in things] == []
    assert (things["a"].closed, things["b"].closed) == (1, 0)
    assert [name for name in server.ended if name in things] == ["a"]

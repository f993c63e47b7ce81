"""Whose pictures and downloads the server holds: nobody gets another's by its address."""

from collections import OrderedDict
from collections.abc import Callable
from functools import wraps
from threading import Lock
from typing import Any

from streamlit.runtime.media_file_manager import MediaFileManager
from streamlit.runtime.scriptrunner import get_script_run_ctx

MOST = 5_000


class FileOwners:
    """Which sessions, and whose, were given a file's address or a download's id."""

    def __init__(self) -> None:
        self._of: dict[str, OrderedDict[str, str]] = {}
        self._lock = Lock()

    def note(self, file: str) -> None:
        """Note a file as given to the session whose page is running."""
        context = get_script_run_ctx()
        if context is not None:
            self._keep(context.session_id, file, str(context.user_info.get("sub", "")))

    def copy(self, file: str, new: str) -> None:
        """Give what was made of a file to whoever has the file."""
        with self._lock:
            holders = [(session, files[file]) for session, files in self._of.items() if file in files]
        for session, person in holders:
            self._keep(session, new, person)

    def is_of_session(self, file: str, session: str) -> bool:
        """Whether a session was given the file."""
        with self._lock:
            return file in self._of.get(session, ())

    def is_of_person(self, file: str, person: str) -> bool:
        """Whether a session of this person was given the file."""
        with self._lock:
            return any(files.get(file) == person for files in self._of.values())

    def forget(self, session: str) -> None:
        """Forget a session that is over."""
        with self._lock:
            self._of.pop(session, None)

    def watch(self, manager: MediaFileManager) -> None:
        """Note from now on whatever a page registers with Streamlit's manager of files."""
        execute = manager.execute_deferred
        for name in ("add", "add_deferred"):
            setattr(manager, name, self._noting(getattr(manager, name)))

        @wraps(execute)
        def execute_and_copy(file_id: str) -> str:
            address = execute(file_id)
            self.copy(file_id, address)
            return address

        manager.execute_deferred = execute_and_copy  # type: ignore[method-assign]

    def _noting(self, register: Callable[..., str]) -> Callable[..., str]:
        @wraps(register)
        def noted(*args: Any, **options: Any) -> str:
            file = register(*args, **options)
            self.note(file)
            return file

        return noted

    def _keep(self, session: str, file: str, person: str) -> None:
        with self._lock:
            files = self._of.setdefault(session, OrderedDict())
            files[file] = person
            files.move_to_end(file)
            if len(files) > MOST:
                files.popitem(last=False)

"""A click on a download that comes while its page is drawn anew still gets the file that was offered.

Streamlit forgets what makes a download, and the file that was made, at the end of the next run of any page; the
browser's requests may arrive later, above all where the click itself draws the page anew.
"""

import time
from collections.abc import Set as AbstractSet

from streamlit.runtime.media_file_manager import MediaFileManager

GRACE_S = 10.0


class Grace:
    """Since when each file is shown no more."""

    def __init__(self) -> None:
        self._since: dict[str, float] = {}

    def choose_past(self, unused: AbstractSet[str]) -> set[str]:
        """Give those files, of all that no page shows, that none has shown for longer than the grace."""
        now = time.monotonic()
        self._since = {file: self._since.get(file, now) for file in unused}
        return {file for file, since in self._since.items() if now - since >= GRACE_S}


def spare_late_clicks(manager: MediaFileManager) -> None:
    """Let the manager of files forget from now on only what no page has shown for a while.

    It calls what is replaced here with its lock held.
    """
    find_unused, files, makers = manager._get_inactive_file_ids, Grace(), Grace()  # noqa: SLF001 - no public names

    def drop_makers() -> None:
        shown = {file for of_session in manager._files_by_session_and_coord.values() for file in of_session.values()}  # noqa: SLF001
        for file in makers.choose_past(manager._deferred_callables.keys() - shown):  # noqa: SLF001
            manager._drop_deferred_id(file)  # noqa: SLF001

    def find_past() -> set[str]:
        past = files.choose_past(find_unused())
        for file in past:  # a download is else kept until it was found unused twice, and there may be no second time
            manager._file_metadata[file].mark_for_delete()  # noqa: SLF001
        return past

    manager._get_inactive_file_ids = find_past  # type: ignore[method-assign]  # noqa: SLF001
    manager._remove_orphaned_deferred_callables = drop_makers  # type: ignore[method-assign]  # noqa: SLF001

"""The database of decisions, estimates and outcomes: opened once, for all sessions."""

from core.register.database import find_database
from core.register.store import Store
from core.settings import get_text_setting
from core.ui.shared import Shared

_STORE = Shared(Store, Store.close)


def get_store() -> Store:
    """Open the database, once for all sessions."""
    return _STORE.get(find_database())


def is_on() -> bool:
    """Whether there is a register."""
    return get_text_setting("register") == "on"

"""The database of decisions, estimates and outcomes: opened once, for all sessions."""

from core.register.database import find_database
from core.register.store import Store
from core.ui.shared import Shared

_STORE = Shared(Store, Store.close)


def get_store() -> Store:
    """Open the database, once for all sessions."""
    return _STORE.get(find_database())

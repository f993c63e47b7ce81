"""Whether there is a register here."""

from core.settings import get_text_setting


def is_on() -> bool:
    """Whether there is a register."""
    return get_text_setting("register") == "on"

"""What only the browser can do: keys while a choice has the focus, a question on leaving, an answer in sight."""

from core.ui.browser.browser import mind_browser

__all__ = ["mind_browser"]

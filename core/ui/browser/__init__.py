"""What only the browser can do: keys while a choice has the focus, and a question before a page is left."""

from core.ui.browser.browser import mind_browser

__all__ = ["mind_browser"]

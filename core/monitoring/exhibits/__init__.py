"""What page and command line show of a bundle that is watched: figures, sentences, data, records."""

from core.monitoring.exhibits.everything import METHOD, list_exhibits

__all__ = ["METHOD", "list_exhibits"]

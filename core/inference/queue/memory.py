"""Memory that the C library keeps after networks and modules were loaded, given back to the system."""

import ctypes
import sys


def give_back_memory() -> None:
    """Give freed memory back, some fifty megabytes after loading; nothing where the C library is not glibc."""
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", lambda _: 0)
        trim(0)

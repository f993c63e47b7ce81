"""One thread for the arithmetic of a training: sums are split alike everywhere, and other work keeps its cores."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from threadpoolctl import threadpool_limits


@contextmanager
def take_one_thread() -> Iterator[None]:
    """Let BLAS, OpenMP and torch compute in one thread, so that no result depends on how many there are."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with threadpool_limits(1):
            yield
    finally:
        torch.set_num_threads(before)

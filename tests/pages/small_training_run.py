"""The process of a training with a tiny network and few refits: what a page's tests start in place of the real one."""

import sys
from dataclasses import replace
from pathlib import Path

from core.training.run import work
from core.training.run.record import Order, RunFolder
from tests.core.training.small_training import PLAN, know_the_tiny_network


class SmallRun(RunFolder):
    """A training with few refits."""

    def read_order(self) -> Order:
        """Read what was asked for."""
        order = super().read_order()
        return replace(order, plan=replace(order.plan, n_refits=PLAN.n_refits))


if __name__ == "__main__":
    know_the_tiny_network()
    work.RunFolder = SmallRun
    work.stand_back = lambda: None  # other tests may leave it no time
    work.main(Path(sys.argv[1]), int(sys.argv[2]))

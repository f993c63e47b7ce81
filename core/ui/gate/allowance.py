"""How fast a client may go on: all pages of a person, or of an address, share one pace, and a new page brings none."""

import asyncio
from collections import OrderedDict

from core.ui.gate.messages import Pace

MOST_CLIENTS = 1_000
LONGEST_SECONDS = 10.0
PERSON, ADDRESS = 4, 10  # the pace of so many pages for all that one has open; an address may be a whole clinic's
RUNS_A_SECOND, RUNS_AT_ONCE = 2.0, 80
DOWNLOADS_A_SECOND, DOWNLOADS_AT_ONCE = 0.5, 10


class Allowance:
    """What one client has left.

    Parameters
    ----------
    pages : int
        For how many pages' use it is meant.
    """

    def __init__(self, pages: int) -> None:
        self.runs = Pace(RUNS_A_SECOND * pages, RUNS_AT_ONCE)
        self.downloads = Pace(DOWNLOADS_A_SECOND * pages, DOWNLOADS_AT_ONCE)


class Allowances:
    """Each client's allowance, of those that came last."""

    def __init__(self) -> None:
        self._of: OrderedDict[tuple[str, str], Allowance] = OrderedDict()

    def find(self, person: str, address: str) -> Allowance:
        """Give the allowance of a person who is logged in, or else of an address."""
        client = (person, "" if person else address)
        allowance = self._of.setdefault(client, Allowance(PERSON if person else ADDRESS))
        self._of.move_to_end(client)
        if len(self._of) > MOST_CLIENTS:
            self._of.popitem(last=False)
        return allowance


async def wait_for(*paces: Pace) -> bool:
    """Wait until a message may go on; give whether it may, for nobody waits long."""
    for pace in paces:
        if pace.ahead > LONGEST_SECONDS:
            return False
        await asyncio.sleep(pace.wait())
    return True

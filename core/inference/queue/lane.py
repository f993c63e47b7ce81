"""Work that waits for the network, taken in turn from everyone who waits."""

from collections import OrderedDict, deque

from core.inference.queue.place import Turn


class FairLane:
    """Turns in the order in which they come to the network: each owner's next one before anybody's one after that."""

    def __init__(self) -> None:
        self._of: OrderedDict[str, deque[Turn[object]]] = OrderedDict()

    def __len__(self) -> int:
        return sum(map(len, self._of.values()))

    def __contains__(self, turn: Turn[object]) -> bool:
        return turn in self._of.get(turn.owner, ())

    @property
    def owners(self) -> set[str]:
        """Who waits."""
        return set(self._of)

    def count_of(self, owner: str) -> int:
        """Count an owner's turns."""
        return len(self._of.get(owner, ()))

    def append(self, turn: Turn[object]) -> None:
        """Add a turn behind its owner's others."""
        self._of.setdefault(turn.owner, deque()).append(turn)

    def peek(self) -> Turn[object] | None:
        """Give the turn that comes next, or None."""
        return next(iter(self._of.values()))[0] if self._of else None

    def pop(self) -> Turn[object]:
        """Take the turn that comes next; its owner goes to the end of the row."""
        owner, turns = self._of.popitem(last=False)
        turn = turns.popleft()
        if turns:
            self._of[owner] = turns
        return turn

    def remove(self, turn: Turn[object]) -> None:
        """Take a turn out, wherever it stands."""
        turns = self._of[turn.owner]
        turns.remove(turn)
        if not turns:
            del self._of[turn.owner]

    def count_ahead(self, turn: Turn[object]) -> int:
        """Count the turns that come before one of them."""
        own = self._of[turn.owner].index(turn)
        ahead, rounds = own, own + 1
        for owner, turns in self._of.items():
            if owner == turn.owner:
                rounds = own
            else:
                ahead += min(len(turns), rounds)
        return ahead

"""The fair lane: who asks for much waits for it, who asks for little does not."""

from types import SimpleNamespace

import pytest

from core.inference.queue.lane import FairLane


def turns(owners: str) -> list[SimpleNamespace]:
    return [SimpleNamespace(owner=owner, name=f"{owner}{i}") for i, owner in enumerate(owners)]


@pytest.mark.parametrize(
    ("asked", "served"),
    [("aaa", "a0 a1 a2"), ("aaab", "a0 b3 a1 a2"), ("aabbc", "a0 b2 c4 a1 b3"), ("", "")],
)
def test_owners_are_served_in_turn(asked: str, served: str) -> None:
    lane = FairLane()
    for turn in turns(asked):
        lane.append(turn)
    order = []
    while following := lane.peek():
        assert lane.pop() is following
        order.append(following.name)
    assert " ".join(order) == served
    assert len(lane) == 0


def test_the_place_of_each_turn_is_the_number_before_it() -> None:
    lane, asked = FairLane(), turns("aaabcbbadd")
    for turn in asked:
        lane.append(turn)
    left = len(asked)
    while left:
        ahead = {lane.count_ahead(turn): turn for turn in asked if turn in lane}
        assert sorted(ahead) == list(range(left))
        assert lane.pop() is ahead[0]
        left -= 1


def test_who_leaves_is_no_longer_counted() -> None:
    lane, (first, second, other) = FairLane(), turns("aab")
    for turn in (first, second, other):
        lane.append(turn)
    lane.remove(other)
    assert (lane.count_ahead(second), lane.owners, lane.count_of("a"), lane.count_of("b")) == (1, {"a"}, 2, 0)

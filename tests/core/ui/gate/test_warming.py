"""The making for the first visitor waits while a page runs, goes on after a fault, and ends with the server."""

import threading
from importlib.util import find_spec

from core.ui.gate.warming import MODULES, Warming


def start_making(warming: Warming, made: list[str]) -> threading.Thread:
    def fail() -> None:
        made.append("fails")
        raise ImportError

    making = threading.Thread(target=warming.make, args=([fail, lambda: made.append("works")],))
    making.start()
    return making


def test_everything_is_made_whatever_fails() -> None:
    made: list[str] = []
    start_making(Warming(), made).join(30)
    assert made == ["fails", "works"]


def test_nothing_is_made_while_a_page_runs() -> None:
    warming, made = Warming(), []
    with warming.hold():
        making = start_making(warming, made)
        making.join(0.2)
        assert (making.is_alive(), made) == (True, [])
    making.join(30)
    assert made == ["fails", "works"]


def test_the_end_of_the_server_ends_the_making() -> None:
    warming, made = Warming(), []
    with warming.hold():
        making = start_making(warming, made)
        warming.stop()
        making.join(30)
        assert (making.is_alive(), made) == (False, [])


def test_every_module_that_is_made_is_there() -> None:
    assert all(find_spec(name) for name in MODULES)


def test_a_page_waits_under_its_title_for_what_is_being_made() -> None:
    warming, begun, go, order = Warming(), threading.Event(), threading.Event(), []

    def step() -> None:
        begun.set()
        go.wait(10)
        order.append("made")

    making = threading.Thread(target=warming.make, args=([step],))
    making.start()
    begun.wait(10)

    def run() -> None:
        with warming.hold():
            order.append("title")
            warming.wait()
            order.append("page")

    page = threading.Thread(target=run)
    page.start()
    page.join(0.2)
    go.set()
    page.join(10)
    making.join(10)
    assert order == ["title", "made", "page"]

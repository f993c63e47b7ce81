"""What all sessions share: made once, whoever asks, and no cache of Streamlit's."""

import time
from concurrent.futures import ThreadPoolExecutor

import streamlit as st

from core.ui.shared import Shared


def test_it_is_made_once_however_many_ask() -> None:
    made: list[int] = []

    def make(number: int) -> list[int]:
        time.sleep(0.05)
        made.append(number)
        return [number]

    shared = Shared(make, lambda old: None)
    with ThreadPoolExecutor(8) as threads:
        given = list(threads.map(lambda _: shared.get(1), range(8)))
    assert made == [1]
    assert all(one is given[0] for one in given)


def test_emptying_the_caches_closes_nothing_and_another_key_closes_the_old_one() -> None:
    closed: list[str] = []
    shared = Shared(str.upper, closed.append)
    first = shared.get("a")
    st.cache_resource.clear()
    st.cache_data.clear()
    assert shared.get("a") is first
    assert closed == []
    assert shared.get("b") == "B"
    assert closed == ["A"]

"""All pages of a client share one pace: who opens another gets no new burst, and another client is not slowed."""

import asyncio
import time

import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg

from core.ui.gate import allowance
from core.ui.gate.allowance import LONGEST_SECONDS, RUNS_AT_ONCE, Allowances, wait_for
from core.ui.gate.files import FileOwners
from core.ui.gate.messages import AT_ONCE, Pace
from core.ui.gate.stream import TRY_AGAIN, guard_stream


def test_a_client_is_the_person_or_else_the_address():
    allowances = Allowances()
    ada = allowances.find("ada", "10.0.0.1")
    assert allowances.find("ada", "10.0.0.2") is ada
    assert allowances.find("bob", "10.0.0.1") is not ada
    nobody = allowances.find("", "10.0.0.1")
    assert allowances.find("", "10.0.0.1") is nobody
    assert nobody not in (ada, allowances.find("", "10.0.0.2"), allowances.find("10.0.0.1", ""))


def test_no_more_clients_are_kept_than_the_last(monkeypatch):
    monkeypatch.setattr(allowance, "MOST_CLIENTS", 3)
    allowances = Allowances()
    ada = allowances.find("ada", "")
    others = {}
    for other in "bcd":
        allowances.find("ada", "")
        others[other] = allowances.find(other, "")
    assert [allowances.find(name, "") for name in ("ada", "c", "d")] == [ada, others["c"], others["d"]]
    assert allowances.find("b", "") is not others["b"]


async def flood(sockets: int, seconds: float) -> int:
    """Send from new sockets of one person without end; give how many messages passed."""
    allowances, passed = Allowances(), 0
    data = BackMsg(stop_script=True).SerializeToString()

    async def receive():
        return {"type": "websocket.receive", "bytes": data}

    async def send(event):
        raise AssertionError(event)

    async def speak() -> None:
        nonlocal passed
        while True:
            guarded = guard_stream(receive, send, lambda: True, FileOwners(), allowances.find("eve", ""))
            for _ in range(AT_ONCE):
                assert (await guarded())["type"] == "websocket.receive"
                passed += 1

    tasks = [asyncio.create_task(speak()) for _ in range(sockets)]
    await asyncio.sleep(seconds)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return passed


@pytest.mark.parametrize("sockets", [1, 10])
def test_new_sockets_bring_no_new_burst(sockets):
    passed = asyncio.run(flood(sockets, 1.0))
    assert RUNS_AT_ONCE <= passed <= RUNS_AT_ONCE + 10


def test_nobody_waits_long_behind_what_is_never_heard():
    """Sockets that close while they wait must not put off the next ones without end."""

    async def crowd() -> list[object]:
        pace = Pace(2.0, 1)
        waiting = [asyncio.create_task(wait_for(pace)) for _ in range(200)]
        await asyncio.sleep(0.05)
        refused = [task.result() for task in waiting if task.done()].count(False)
        for task in waiting:
            task.cancel()
        return [refused, pace.ahead]

    refused, ahead = asyncio.run(crowd())
    assert refused == pytest.approx(200 - 2 * LONGEST_SECONDS - 2, abs=2)
    assert ahead <= LONGEST_SECONDS + 1


def test_a_page_that_would_wait_too_long_is_closed():
    sent = []

    async def close() -> dict:
        ours = Allowances().find("eve", "")
        ours.runs = Pace(0.01, 1)
        ours.runs.wait()

        async def receive():
            return {"type": "websocket.receive", "bytes": BackMsg(stop_script=True).SerializeToString()}

        async def send(event):
            sent.append(event)

        return await guard_stream(receive, send, lambda: True, FileOwners(), ours)()

    began = time.monotonic()
    assert asyncio.run(close())["type"] == "websocket.disconnect"
    assert time.monotonic() - began < 1
    assert sent == [{"type": "websocket.close", "code": TRY_AGAIN}]

"""With a login: nothing without it, nothing after its end, nothing of another's."""

import asyncio
import time

import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg

from core.ui.gate.allowance import PERSON, RUNS_A_SECOND, RUNS_AT_ONCE
from tests.security.client import Stranger, sign_in

PRIVATE = ["/media/x.png", "/_stcore/metrics", "/_stcore/agent/interact", "/component/x/y", "/_stcore/else"]


def person(address: str, name: str, role: object = "clinician", seconds: float = 3600) -> Stranger:
    return Stranger(address, cookies=sign_in(address, name, role, seconds))


@pytest.mark.parametrize("cookies", ["none", "forged", "expired", "no role", "role as a mapping", "another origin"])
def test_who_is_not_logged_in_gets_no_file_and_leaves_none(login: str, cookies: str) -> None:
    held = {
        "none": {},
        "forged": sign_in(login, "eve", "admin", secret="another secret of the test"),
        "expired": sign_in(login, "eve", "admin", seconds=-1),
        "no role": sign_in(login, "eve", "staff"),
        "role as a mapping": sign_in(login, "eve", {"admin": False}),
        "another origin": sign_in("http://127.0.0.1:1", "eve", "admin"),
    }[cookies]

    async def try_all() -> None:
        stranger = Stranger(login, cookies=held)
        assert {(await stranger.ask("GET", path)).status_code for path in PRIVATE} == {401}
        assert await stranger.knock() == 101
        assert await stranger.open("Case")
        assert "Research use only" not in stranger.text
        assert {(await stranger.put(bytes(10_000))).status_code for _ in range(3)} == {401}
        assert await stranger.download("0" * 32, seconds=3) == ""
        await stranger.leave()

    asyncio.run(try_all())


def test_another_name_is_not_answered(login: str) -> None:
    async def ask() -> None:
        for host in ("evil.org", "localhost:1", "127.0.0.1"):
            answer = await Stranger(login, headers={"Host": host}).ask("GET", "/")
            assert answer.status_code == 403

    asyncio.run(ask())


def test_files_uploads_and_figures_of_others_stay_theirs(login: str) -> None:
    async def take() -> None:
        owner, other = person(login, "ada"), person(login, "bob")
        assert await owner.knock() == await other.knock() == 101
        assert await owner.open("Cohort")
        assert await other.open("Model")
        (file, *_) = owner.media
        assert (await owner.ask("GET", file)).status_code == 200
        assert (await other.ask("GET", file)).status_code == 403
        assert (await owner.put(b"x" * 1000)).status_code == 204
        assert (await other.put(b"x" * 1000, session=owner.session)).status_code == 403
        assert await other.download(owner.deferred[0], seconds=3) == ""
        assert (await owner.ask("GET", "/_stcore/metrics")).status_code == 403
        assert (await person(login, "root", "admin").ask("GET", "/_stcore/metrics")).status_code == 200
        await owner.leave()
        await other.leave()

    asyncio.run(take())


def test_uploads_are_capped_for_a_session_and_in_all(login: str) -> None:
    async def fill() -> None:
        people = [person(login, f"u{i}") for i in range(4)]
        taken = []
        for one in people:
            assert await one.knock() == 101
            assert await one.open("Model")
            taken += [(await one.put(bytes(1_900_000))).status_code for _ in range(3)]
        assert taken[:3] == [204, 204, 413]
        assert 1_900_000 * taken.count(204) <= 8_000_000
        assert set(taken) == {204, 413}
        for one in people:
            await one.leave()

    asyncio.run(fill())


def test_a_page_that_is_open_ends_with_the_login(login: str) -> None:
    async def go_on() -> None:
        doctor = person(login, "cleo", seconds=60)
        ends = time.time() + 60
        assert await doctor.knock() == 101
        assert await doctor.open("Cohort")
        assert "Research use only" in doctor.text
        files, offered = doctor.media, doctor.deferred
        await asyncio.sleep(max(0.0, ends - time.time()) + 1)
        assert await doctor.download(offered[0], seconds=3) == ""
        assert (await doctor.ask("GET", files[0])).status_code == 401
        assert (await doctor.put(b"x")).status_code == 401
        message = BackMsg()
        message.rerun_script.page_name = "Cohort"
        message.rerun_script.widget_states.widgets.add().id = "$$ID-x-scoring_upload_0"
        assert await doctor.run(message)
        assert "Your session has expired" in doctor.text
        assert "Research use only" not in doctor.text
        await doctor.leave()

    asyncio.run(go_on())


def test_one_person_opens_so_many_pages(login: str) -> None:
    async def open_many() -> None:
        pages = [person(login, "dora") for _ in range(5)]
        assert [await page.knock() for page in pages] == [101] * 4 + [403]
        for page in pages:
            await page.leave()

    asyncio.run(open_many())


def test_who_is_not_logged_in_takes_no_place_of_who_is(login: str) -> None:
    """A tenth of the 50 places is theirs, the oldest page gives way to the next, and doctors have the rest."""

    async def crowd() -> None:
        expired = [person(login, "zoe", seconds=-1) for _ in range(3)]
        crowd = [Stranger(login) for _ in range(52)] + expired
        assert {await stranger.knock() for stranger in crowd} == {101}
        assert await crowd[0].hear("new_session") is None
        doctor = person(login, "fay")
        assert await doctor.knock() == 101
        assert await doctor.open("Model")
        assert await crowd[-1].open("Case")
        for stranger in (doctor, *crowd):
            await stranger.leave()

    asyncio.run(crowd())


@pytest.mark.parametrize("is_away", [False, True])
def test_nobody_goes_on_with_the_session_of_another(login: str, is_away: bool) -> None:
    """By the id of the session, which stands in the addresses of its uploads; its own person may."""

    async def go_on() -> None:
        owner, other = person(login, "eva"), person(login, "mallory")
        assert await owner.knock() == 101
        assert await owner.open("Cohort")
        mine = owner.session
        if is_away:
            await owner.leave()
            await asyncio.sleep(1)
        assert await other.knock(resume=mine) == 101
        assert await other.open("Model")
        assert other.session not in ("", mine)
        await other.leave()
        again = Stranger(login, cookies=dict(owner.cookies))
        assert await again.knock(resume=mine) == 101
        assert await again.open("Model")
        assert again.session == mine
        await again.leave()
        await owner.leave()

    asyncio.run(go_on())


def test_new_sockets_bring_a_flood_nothing_and_others_go_on(login: str) -> None:
    """Ten colleagues open their pages while somebody sends from ever new sockets; all of a person share one pace."""

    async def ask(socket: Stranger) -> int:
        ask, answered = BackMsg(), 0
        ask.file_urls_request.request_id = "r"
        ask.file_urls_request.file_names.append("a.png")
        for _ in range(40):
            await socket.send(ask)
        while await socket.hear("file_urls_response", seconds=0.3) is not None:
            answered += 1
        await socket.leave()
        return answered

    async def flood(until: asyncio.Event) -> int:
        answered = 0
        while not until.is_set():
            sockets = [person(login, "mallory") for _ in range(4)]
            opened = [socket for socket in sockets if await socket.knock() == 101]
            answered += sum(await asyncio.gather(*map(ask, opened)))
        return answered

    async def open_page(name: str) -> float:
        doctor, began = person(login, name), time.monotonic()
        assert await doctor.knock() == 101
        assert await doctor.open("Model")
        await doctor.leave()
        return time.monotonic() - began

    async def crowd() -> None:
        over, began = asyncio.Event(), time.monotonic()
        flooding = asyncio.create_task(flood(over))
        await asyncio.sleep(1)
        waits = [await open_page(f"doctor {number}") for number in range(10)]
        await asyncio.sleep(max(0, 4 - (time.monotonic() - began)))
        over.set()
        answered, seconds = await flooding, time.monotonic() - began
        assert answered <= RUNS_AT_ONCE + PERSON * RUNS_A_SECOND * seconds
        assert answered >= RUNS_AT_ONCE / 2
        assert max(waits) < 10

    asyncio.run(crowd())

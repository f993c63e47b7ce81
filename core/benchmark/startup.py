"""Start-up: from `streamlit run` to an answer and to the first page; and the memory of a process that serves."""

import asyncio
import http.client
import os
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from websockets.exceptions import WebSocketException

from core.benchmark.timing import Timing
from core.benchmark.visitor import View, Visitor
from core.errors import WorkError

ROOT = Path(__file__).parents[2]
ANSWER = "start-up: streamlit run to the health check's answer"
FIRST_PAGE = "start-up: streamlit run to the first page's text"
DEADLINE = 60.0
PAUSE = 0.01
SERVE = """
import sys
from pathlib import Path
import numpy as np
from core.imaging import Frame, Roi
from core.inference import Case, Predictor
predictor = Predictor.load(Path(sys.argv[1]))
frame = Frame(np.zeros((600, 800), np.uint8), None, (0.0, 0.0), (1.0, 1.0), "")
predictor.predict(Case.of(frame, Roi(300, 200, 500, 400)))
print(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmRSS")))
"""


def time_startup(rounds: int) -> list[Timing]:
    """Start the app several times.

    Time the health check's answer and the text of the first page, opened as a browser does.
    """
    pairs = [_start_once() for _ in range(rounds)]
    medians = [1000 * statistics.median(seconds) for seconds in zip(*pairs, strict=True)]
    return [Timing(name, median, rounds) for name, median in zip((ANSWER, FIRST_PAGE), medians, strict=True)]


def measure_memory(bundle: Path) -> float | None:
    """Measure the resident memory (MB) of a process that has loaded the bundle and answered once.

    None where it is not told.
    """
    if not Path("/proc/self/status").exists():
        return None
    command = [sys.executable, "-c", SERVE, str(bundle.resolve())]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S603 - our own code
    return int(run.stdout) / 1024


def _start_once() -> tuple[float, float]:
    started = time.perf_counter()
    with serve_app() as port:
        wait_for_health(port, started)
        answered = time.perf_counter() - started
        view = _open_first_page(port)
        after_text = view.seconds - (view.seconds_to_text or view.seconds)
        return answered, time.perf_counter() - started - after_text


@contextmanager
def serve_app() -> Iterator[int]:
    """Run the app on the loopback; give its port."""
    port = _find_port()
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port)]
    variables = os.environ | {"SONOKI_START_TOKEN": "off"}  # nobody is there to read the token
    server = subprocess.Popen(  # noqa: S603 - our own app
        command, cwd=ROOT, env=variables, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        yield port
    finally:
        server.terminate()
        server.wait()


def _find_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def wait_for_health(port: int, started: float) -> None:
    """Wait until the app answers its health check; `started` is when it was started, by `time.perf_counter`."""
    while time.perf_counter() - started < DEADLINE:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=DEADLINE)
        try:
            connection.request("GET", "/_stcore/health")
            if connection.getresponse().read() == b"ok":
                return
        except OSError:
            time.sleep(PAUSE)
        finally:
            connection.close()
    raise WorkError(f"The app did not answer within {DEADLINE:.0f} seconds: start it by hand to see why.")


def _open_first_page(port: int) -> View:
    async def visit() -> View:
        visitor = Visitor(f"http://127.0.0.1:{port}", DEADLINE)
        try:
            return await visitor.open("")
        finally:
            await visitor.close()

    try:
        view = asyncio.run(visit())
    except (OSError, TimeoutError, WebSocketException) as error:
        raise WorkError("The app answers, but its first page does not come: start it by hand to see why.") from error
    if view.errors:
        raise WorkError(f"The first page shows an error. {view.errors[0]}")
    return view

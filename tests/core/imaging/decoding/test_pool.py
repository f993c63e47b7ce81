"""The decoder's process: whatever a file does to it, the next file is read."""

import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from core.errors import BusyError, ImageError, WorkError
from core.imaging import read_frame
from core.imaging.decoding import decoder as process
from core.imaging.decoding.decoder import Decoder
from core.imaging.decoding.limits import NICENESS
from core.imaging.decoding.pool import DecoderPool, get_pool
from core.imaging.frame import Choice
from tests.core.imaging.samples import encode, make_jpeg_cine, make_speckle

ROOT = Path(__file__).resolve().parents[4]
AREA = make_speckle(60, 80)
LIMITS = {"max_bytes": 10**9, "max_pixels": 10**9, "max_side": 10**6, "max_frames": 10**6, "max_items": 9}
REQUEST = {"task": "area", "choice": asdict(Choice()), "limits": LIMITS}

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="stops processes by signals")


@pytest.fixture
def decoder():
    decoder = Decoder(seconds=60, memory_mb=600)
    yield decoder
    decoder.close()


def test_a_hanging_decoder_is_ended_and_the_next_file_is_read():
    decoder = Decoder(seconds=1, memory_mb=600)
    decoder.ask(REQUEST, encode(AREA))
    os.kill(decoder.pid, signal.SIGSTOP)
    with pytest.raises(BusyError, match="busy with others"):
        decoder.ask(REQUEST, encode(AREA))
    decoder.close()


def test_a_file_is_refused_by_the_time_that_it_computes(monkeypatch):
    monkeypatch.setattr(process, "WAIT_TIMES", 300)
    decoder = Decoder(seconds=1, memory_mb=2_000)
    with pytest.raises(ImageError, match="longer than 1 seconds"):
        decoder.ask(REQUEST, encode(np.tile(make_speckle(500, 500), (12, 12))))
    decoder.close()


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGINT])
def test_a_decoder_that_was_asked_to_end_gives_no_verdict(decoder, end):
    decoder.ask(REQUEST, encode(AREA))
    first = decoder.pid
    os.kill(first, signal.SIGSTOP)

    def end_it() -> None:
        os.kill(first, end)
        with suppress(ProcessLookupError):
            os.kill(first, signal.SIGCONT)

    ending = threading.Timer(0.5, end_it)
    ending.start()
    with pytest.raises(WorkError, match="server is closing"):
        decoder.ask(REQUEST, encode(AREA))
    ending.join()
    assert decoder.ask(REQUEST, encode(AREA))[0]["shape"] == [60, 80]


def test_a_pool_that_closes_gives_no_verdict():
    decoder = Decoder(seconds=60, memory_mb=600)
    decoder.ask(REQUEST, encode(AREA))
    os.kill(decoder.pid, signal.SIGSTOP)
    closing = threading.Timer(0.2, decoder.close)
    closing.start()
    with pytest.raises(WorkError, match="server is closing"):
        decoder.ask(REQUEST, encode(AREA))
    closing.join()
    with pytest.raises(WorkError, match="server is closing"):
        decoder.ask(REQUEST, encode(AREA))


def test_a_crashing_decoder_is_replaced(decoder):
    first = decoder.pid
    decoder.ask(REQUEST, encode(AREA))
    os.kill(first, signal.SIGSTOP)
    killer = threading.Timer(0.2, os.kill, (first, signal.SIGKILL))
    killer.start()
    with pytest.raises(ImageError, match="made its decoder fail"):
        decoder.ask(REQUEST, encode(AREA))
    killer.join()
    assert decoder.pid != first
    assert decoder.ask(REQUEST, encode(AREA))[0]["shape"] == [60, 80]


def test_a_decoder_that_died_between_files_costs_no_file(decoder):
    os.kill(decoder.pid, signal.SIGKILL)
    time.sleep(0.2)
    assert decoder.ask(REQUEST, encode(AREA))[0]["shape"] == [60, 80]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="memory limits are kept on Linux only")
def test_an_image_beyond_the_memory_limit_is_refused(decoder):
    bomb = encode(np.zeros((16_000, 16_000), np.uint8))
    header, _ = decoder.ask(REQUEST, bomb)
    assert "more memory than is allowed" in header["refused"]
    assert decoder.ask(REQUEST, encode(AREA))[0]["shape"] == [60, 80]


def test_a_long_loop_costs_the_memory_of_a_few_frames():
    if not sys.platform.startswith("linux"):
        pytest.skip("reads /proc")
    frame = np.dstack([make_speckle(480, 640)] * 3)
    cine = make_jpeg_cine([frame] * 60, quality=80)
    decoder = Decoder(seconds=60, memory_mb=2_000)
    decoder.ask(REQUEST, make_jpeg_cine([frame] * 2, quality=80))  # loads what any such loop needs
    before = peak_memory_mb(decoder.pid)
    header, _ = decoder.ask(REQUEST, cine)
    assert header["done"]["frame_count"] == 60
    assert peak_memory_mb(decoder.pid) - before < 2 * len(cine) / 2**20 + 12 * frame.nbytes / 2**20
    decoder.close()


def peak_memory_mb(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))


def test_threads_get_their_own_answers():
    images = [make_speckle(50 + seed, 64, seed) for seed in range(12)]
    with ThreadPoolExecutor(6) as threads:
        frames = list(threads.map(lambda image: read_frame(encode(image)), images))
    for image, frame in zip(images, frames, strict=True):
        np.testing.assert_array_equal(frame.pixels, image)


def test_a_full_pool_says_so():
    full = DecoderPool(size=1, seconds=1, memory_mb=600)
    with full.take(), pytest.raises(WorkError, match="Try again in a minute"), full.take():
        pass
    full.close()


def test_a_file_that_takes_long_leaves_its_place_and_stands_back():
    """A decoder that hangs over a dear file keeps nobody waiting, and takes no core from anybody."""
    pool = DecoderPool(size=1, seconds=30, memory_mb=2_000, spare=1)
    dear, niceness = encode(np.tile(make_speckle(500, 500), (10, 10))), []

    def watch(pid: int) -> None:
        threads = Path(f"/proc/{pid}/task")
        while threads.exists() and not ending.is_set():
            niceness.extend(os.getpriority(os.PRIO_PROCESS, int(thread.name)) for thread in threads.iterdir())
            time.sleep(0.05)

    def read_dear() -> None:
        with pool.take() as decoder:
            watching = threading.Thread(target=watch, args=(decoder.pid,))
            watching.start()
            decoder.ask(REQUEST, dear)
            assert prompt.is_set()
            ending.set()
            watching.join()

    prompt, ending = threading.Event(), threading.Event()
    with ThreadPoolExecutor(1) as threads:
        reading = threads.submit(read_dear)
        time.sleep(0.2)
        with pool.take() as decoder:
            assert decoder.ask(REQUEST, encode(AREA))[0]["shape"] == [60, 80]
            prompt.set()
        reading.result()
    assert max(niceness) == min(19, os.nice(0) + NICENESS)
    assert len(pool.pids) == 2
    pool.close()


def test_a_forked_process_gets_its_own_pool():
    get_pool()
    code = (
        "import os, sys\n"
        "from core.imaging.decoding.pool import get_pool\n"
        "mine = get_pool()\n"
        "child = os.fork()\n"
        "if child == 0:\n"
        "    os._exit(3 if get_pool() is mine else 0)\n"
        "sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))\n"
    )
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, timeout=300, check=False)
    assert (run.returncode, run.stderr) == (0, b"")


def test_the_decoder_imports_neither_torch_nor_streamlit():
    heavy = {"torch", "streamlit", "scipy", "pandas"}
    code = f"import sys, core.imaging.decoding.process; print(sorted({heavy} & set(sys.modules)))"
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=300, check=True
    )
    assert run.stdout.strip() == "[]"


def test_a_program_that_read_an_image_ends_quietly(tmp_path):
    path = tmp_path / "image.png"
    path.write_bytes(encode(AREA))
    code = (
        "from pathlib import Path\n"
        "from core.imaging import read_frame\n"
        f"print(read_frame(Path({str(path)!r}).read_bytes()).width)\n"
    )
    arguments = [sys.executable, "-W", "error", "-X", "dev", "-c", code]
    run = subprocess.run(arguments, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert (run.returncode, run.stdout, run.stderr) == (0, "80\n", "")

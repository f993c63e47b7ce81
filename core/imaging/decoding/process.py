"""The decoder's process: reads requests from standard input, answers on standard output, and writes nothing else."""

import os
import signal
import sys
import threading
import time
import warnings
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from functools import partial
from io import BytesIO
from typing import Any

from PIL import Image

from core.errors import ImageError
from core.imaging.decoding.decode import DecodedArea, decode_area, decode_areas, decode_info
from core.imaging.decoding.deidentify import decode_deidentified
from core.imaging.decoding.dicom.identity import decode_identity
from core.imaging.decoding.dicom.study import decode_study
from core.imaging.decoding.formats import detect_format
from core.imaging.decoding.limits import NICENESS, WAIT_TIMES, Limits
from core.imaging.decoding.messages import read_message, write_message
from core.imaging.decoding.stills import decode_filed
from core.imaging.decoding.zip_files import read_item
from core.imaging.frame import Choice, CleanedFile

if sys.platform != "win32":
    import resource

_WARM_SIDE = 128
_PROMPT_SECONDS, _LOOK_SECONDS = 0.15, 0.05
_DAMAGED = "The image file is damaged or incomplete: its content can't be decoded. Export it again."
_TOO_MUCH_MEMORY = "The image needs more memory than is allowed for decoding. Export a smaller or shorter one."


def limit_process(memory_mb: int) -> None:
    """Bound this process's memory, and let it write no file; without effect where the system has no such limits."""
    if sys.platform == "win32":
        return
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    if sys.platform.startswith("linux"):
        resource.setrlimit(resource.RLIMIT_AS, (memory_mb * 2**20, memory_mb * 2**20))


def answer(request: dict[str, Any], data: bytes) -> tuple[dict[str, Any], list[memoryview]]:
    """Do what a request asks."""
    choice, limits = Choice(**request["choice"]), Limits(**request["limits"])
    try:
        if request["task"] == "deidentify":
            return _pack_copy(decode_deidentified(data, limits, **_read_terms(request)))
        if request["task"] == "areas":
            return _pack_areas(decode_areas(data, request["indices"], choice, limits))
        return _perform(request["task"], data, choice, limits)
    except ImageError as error:
        return {"refused": str(error)}, []
    except MemoryError:
        return {"refused": _TOO_MUCH_MEMORY}, []
    except Exception:  # noqa: BLE001 - whatever a decoder raises on a broken file, this boundary is there to stop it
        return {"refused": _DAMAGED}, []


def _read_terms(request: dict[str, Any]) -> dict[str, Any]:
    return {"key": bytes.fromhex(request["key"]), "is_reviewed": request["is_reviewed"]}


def _perform(task: str, data: bytes, choice: Choice, limits: Limits) -> tuple[dict[str, object], list[memoryview]]:
    if task == "info":
        return {"done": asdict(decode_info(data, choice, limits))}, []
    if task == "study":
        return {"done": decode_study(data, limits)}, []
    if task == "identity":
        one = read_item(data, choice.item or 0, limits) if detect_format(data) == "ZIP" else data
        return {"done": decode_identity(one, limits)}, []
    if task == "filed":
        return {"done": asdict(decode_filed(data, limits))}, []
    return _pack_area(decode_area(data, choice, limits))


def _pack_copy(copy: CleanedFile) -> tuple[dict[str, object], list[memoryview]]:
    done = {name: value for name, value in asdict(copy).items() if name != "data"}
    return {"done": done}, [memoryview(copy.data)]


def _pack_area(area: DecodedArea) -> tuple[dict[str, object], list[memoryview]]:
    planes = [area.pixels] if area.colour is None else [area.pixels, area.colour.astype("uint8")]
    header = {name: value for name, value in vars(area).items() if name not in {"pixels", "colour", "survey"}}
    header["survey"] = asdict(area.survey)
    return {"done": header, "shape": area.pixels.shape, "planes": len(planes)}, [
        memoryview(plane.tobytes()) for plane in planes
    ]


def _pack_areas(areas: list[DecodedArea]) -> tuple[dict[str, object], list[memoryview]]:
    packed = [_pack_area(area) for area in areas]
    return {"done": [header for header, _ in packed]}, [part for _, parts in packed for part in parts]


def _warm_up() -> None:
    """Decode a small image, so that the first upload does not wait for what libraries load at their first use."""
    stream = BytesIO()
    Image.new("L", (_WARM_SIDE, _WARM_SIDE)).save(stream, "PNG")
    decode_area(stream.getvalue(), Choice(), Limits(stream.tell(), _WARM_SIDE**2, _WARM_SIDE, 1, 1))


def main(memory_mb: int, seconds: int, niceness: int) -> None:
    """Answer requests until standard input ends.

    Parameters
    ----------
    memory_mb : int
        Most address space in MB.
    seconds : int
        Most seconds of computing for one request; the process then ends, even if nobody is left to end it.
    niceness : int
        How far the process stands back behind others, where the system knows that.
    """
    warnings.simplefilter("ignore")
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # also where the server was started in the background
    requests, answers = sys.stdin.buffer, os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    limit_process(memory_mb)
    if niceness and hasattr(os, "nice"):
        os.nice(niceness)
    _warm_up()
    write_message(answers, {"ready": True})
    while (message := read_message(requests)) is not None:
        _limit_seconds(seconds)
        header, parts = _answer_apart(*message, partial(write_message, answers, {"long": True}))
        write_message(answers, header, *parts)
        del message, parts
        _limit_seconds(0)


def _answer_apart(
    request: dict[str, object], data: bytes, tell: Callable[[], None]
) -> tuple[dict[str, object], list[memoryview]]:
    """Answer in a thread that stands back behind everything else, and tell so, once a file has cost much computing."""
    answers: list[tuple[dict[str, object], list[memoryview]]] = []
    thread = threading.Thread(target=lambda: answers.append(answer(request, data)))
    most = time.process_time() + _PROMPT_SECONDS
    thread.start()
    while thread.is_alive() and time.process_time() < most:
        thread.join(_LOOK_SECONDS)
    if thread.is_alive():
        tell()
        if sys.platform == "linux":
            with suppress(OSError):  # it may just have ended
                os.setpriority(os.PRIO_PROCESS, thread.native_id or -1, os.nice(0) + NICENESS)
    thread.join()
    return answers[0]


def _limit_seconds(seconds: int) -> None:
    """End this process after so many seconds of computing, or of waiting for what never comes."""
    if sys.platform != "win32":
        signal.setitimer(signal.ITIMER_PROF, seconds)
        signal.alarm(10 * WAIT_TIMES * seconds)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))

"""The line to the archive: one HTTP session that keeps time, size and address, and turns each fault into a sentence."""

import io
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import requests

from core.errors import ArchiveError

CHUNK = 65_536
LIST_BYTES = 10_000_000
AGAIN = "Try again later."
FAULTS = {
    401: "The archive refuses the user or the password. Check SONOKI_PACS_USER and SONOKI_PACS_PASSWORD.",
    403: "The archive does not allow this user to do that. Ask whoever runs it for the right.",
    404: "The archive does not know what was asked for. Check SONOKI_PACS_URL, or look for the study again.",
    406: "The archive can't give the file in a form that is read here. Export it there and upload it.",
    413: "The archive finds the file too large. Ask whoever runs it for its limit.",
}
TEMPORARY = {408, 425, 429, 500, 502, 503, 504}
PASSED_ON = {409}


class BoundedSession(requests.Session):
    """A session that asks the archive only, and takes no more bytes or time than allowed.

    No proxy, password file or certificate folder of the environment is used, no redirect followed, no compression
    asked for. Bodies are read here, so that whoever gets an answer has all of it.

    Parameters
    ----------
    seconds : int
        Longest silence.
    total_seconds : int
        Longest exchange, with all its tries.
    max_bytes : int
        Most bytes of a file; a list has at most `LIST_BYTES`.
    """

    def __init__(self, seconds: int, total_seconds: int, max_bytes: int) -> None:
        super().__init__()
        self.trust_env = False
        self.headers.update({"Accept": "application/dicom+json", "Accept-Encoding": "identity"})
        self._seconds, self._total_seconds, self._max_bytes = seconds, total_seconds, max_bytes
        self._deadline: float | None = None
        self.warning = ""

    @contextmanager
    def keep_time(self) -> Iterator[None]:
        """Hold one time limit over several exchanges, tries and pauses."""
        outer = self._deadline
        self._deadline = outer or time.monotonic() + self._total_seconds
        try:
            yield
        finally:
            self._deadline = outer

    def wait(self, seconds: float) -> None:
        """Pause before another try, unless the time is up."""
        self._check_time(seconds)
        time.sleep(seconds)

    def _check_time(self, needed: float = 0.0) -> float:
        """Give the seconds that are left, or say that there are none."""
        left = self._total_seconds if self._deadline is None else self._deadline - time.monotonic()
        if left <= needed:
            raise ArchiveError(
                f"The archive's answer took longer than {self._total_seconds} seconds "
                f"(SONOKI_PACS_TOTAL_SECONDS). {AGAIN}",
                is_temporary=True,
            )
        return left

    def request(self, method: str, url: str | bytes, *args: object, **options: object) -> requests.Response:
        """Ask, and read the whole answer within the limits."""
        with self.keep_time(), translate_faults(self._seconds):
            options |= {"stream": True, "allow_redirects": False, "timeout": min(self._seconds, self._check_time())}
            return self._exchange(method, url, *args, **options)

    def _exchange(self, method: str, url: str | bytes, *args: Any, **options: Any) -> requests.Response:
        with super().request(method, url, *args, **options) as response:
            _refuse_status(response)
            self.warning = response.headers.get("Warning", "")
            is_list = "json" in str(response.request.headers.get("Accept"))
            limit = min(self._max_bytes, LIST_BYTES) if is_list else self._max_bytes
            return _fill(response, self._read(response, limit))

    def _read(self, response: requests.Response, limit: int) -> bytes:
        body = bytearray()
        with self._end_in_time(response):
            for chunk in response.iter_content(CHUNK):
                body += chunk
                if len(body) > limit:
                    raise ArchiveError(
                        f"The archive's answer is larger than {limit / 1e6:.0f} MB and was not taken. "
                        "Choose a shorter loop, or narrow the search."
                    )
                self._check_time()
        return bytes(body)

    @contextmanager
    def _end_in_time(self, response: requests.Response) -> Iterator[None]:
        """End an answer when the time is up, also while it comes byte by byte and no chunk is full."""
        watchdog = threading.Timer(self._check_time(), _shut, (response,))
        watchdog.start()
        try:
            yield
        except requests.exceptions.RequestException:
            self._check_time()
            raise
        finally:
            watchdog.cancel()
            watchdog.join()
        self._check_time()


def _shut(response: requests.Response) -> None:
    """Stop reading an answer, from another thread."""
    with suppress(OSError, RuntimeError, ValueError):  # it has just ended
        response.raw.shutdown()


def _fill(response: requests.Response, body: bytes) -> requests.Response:
    """Give the answer anew, with a body that was read within its limits."""
    filled = requests.Response()
    for name in ("status_code", "reason", "url", "headers", "encoding", "request", "history", "elapsed"):
        setattr(filled, name, getattr(response, name))
    filled.raw = io.BytesIO(body)
    return filled


@contextmanager
def translate_faults(seconds: int) -> Iterator[None]:
    """Turn what goes wrong on the line into a sentence."""
    try:
        yield
    except requests.exceptions.SSLError:
        raise ArchiveError(
            "The archive's certificate can't be verified. Name the file of your hospital's certificates in "
            "SONOKI_PACS_CA."
        ) from None
    except requests.exceptions.Timeout:
        raise ArchiveError(f"The archive did not answer within {seconds} seconds. {AGAIN}", is_temporary=True) from None
    except requests.exceptions.ChunkedEncodingError:
        raise ArchiveError(f"The archive's answer was cut short. {AGAIN}", is_temporary=True) from None
    except requests.exceptions.ConnectionError:
        raise ArchiveError(f"The archive can't be reached. {AGAIN}", is_temporary=True) from None
    except (requests.exceptions.RequestException, OSError):
        raise ArchiveError("The archive can't be asked. Check SONOKI_PACS_URL and SONOKI_PACS_CA.") from None


def _refuse_status(response: requests.Response) -> None:
    status = response.status_code
    if status < 300 or status in PASSED_ON:
        return
    if status < 400:
        raise ArchiveError("The archive sends on to another address. Put that one into SONOKI_PACS_URL.")
    if status in TEMPORARY:
        raise ArchiveError(f"The archive has a fault of its own (HTTP {status}). {AGAIN}", is_temporary=True)
    raise ArchiveError(FAULTS.get(status, f"The archive refuses the request (HTTP {status}). Ask whoever runs it."))

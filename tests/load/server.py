"""The app as it is served, with the memory that it and its decoders hold (read from /proc)."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.pages.serving import serve_app


@dataclass(frozen=True)
class Served:
    """A running app: its address and its process id."""

    address: str
    pid: int

    def resident_mb(self) -> tuple[float, float]:
        """Give the resident memory of the server itself, and of all its decoders together, in MB."""
        return read_resident_mb(self.pid), sum(map(read_resident_mb, list_children(self.pid)))


@contextmanager
def serve(folder: Path) -> Iterator[Served]:
    """Serve the app with its data in a folder of its own."""
    before = list_children("self")
    with serve_app(XDG_DATA_HOME=str(folder)) as address:
        (pid,) = list_children("self") - before
        yield Served(address, pid)


def read_resident_mb(pid: int | str) -> float:
    """Give the resident memory of a process in MB."""
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS"))


def list_children(pid: int | str) -> set[int]:
    """List the child processes of a process."""
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return {int(child) for task in tasks for child in (task / "children").read_text(encoding="ascii").split()}

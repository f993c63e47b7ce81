"""What a scoring run has done already, a line a row, so that a stopped run goes on."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType

from core.errors import WorkError

Scores = dict[str, object]
UNWRITABLE = "What is done can't be kept beside the table of --out. Check its path and the disk."


class Journal:
    """A file of rows that are done; it belongs to one manifest and one bundle.

    Parameters
    ----------
    path : Path
        The file. What stands in it is kept if its first line is the identity, else it begins anew.
    identity : str
        Hash of the manifest and the bundle.
    """

    def __init__(self, path: Path, identity: str) -> None:
        self._path = path
        try:
            kept = {number: (stamp, scores) for number, stamp, scores in self._read(identity)}
            path.parent.mkdir(parents=True, exist_ok=True)
            lines = (_write(number, *row) for number, row in kept.items())
            path.write_text("".join([f"{identity}\n", *lines]), encoding="utf-8")
        except OSError:
            raise WorkError(UNWRITABLE) from None
        self.done = {number: stamp for number, (stamp, _) in kept.items()}

    def __enter__(self) -> "Journal":
        self._lines = self._path.open("a", encoding="utf-8")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._lines.close()

    def forget(self, numbers: Iterable[int]) -> None:
        """Let rows be done again; what is added of them later counts."""
        for number in numbers:
            self.done.pop(number, None)

    def add(self, number: int, stamp: str, scores: Scores) -> None:
        """Note that a row is done, with the stamp of its file; it is in the journal when this returns."""
        try:
            self._lines.write(_write(number, stamp, scores))
            self._lines.flush()
        except OSError:
            raise WorkError(UNWRITABLE) from None
        self.done[number] = stamp

    def read(self) -> dict[int, Scores]:
        """Give the scores of all rows that are done, by row number."""
        with self._path.open(encoding="utf-8") as lines:
            return {number: scores for number, _, scores in self._read(next(lines).strip())}

    def _read(self, identity: str) -> Iterator[tuple[int, str, Scores]]:
        """Read the rows; a line that was cut off is left out, and its row is done again."""
        if not self._path.exists():
            return
        with self._path.open(encoding="utf-8") as lines:
            if next(lines, "").strip() != identity:
                return
            for line in lines:
                try:
                    number, stamp, scores = json.loads(line)
                except ValueError:
                    continue
                yield int(number), stamp, scores


def _write(number: int, stamp: str, scores: Scores) -> str:
    return json.dumps([number, stamp, scores]) + "\n"

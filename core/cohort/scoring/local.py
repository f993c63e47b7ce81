"""Rows of a manifest to image scores on this machine: files decoded ahead in parallel processes, read in batches."""

import errno
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import Any, Protocol

from core.clinical import M1_PREDICTORS, parse_inputs
from core.errors import BusyError, InputError, WorkError
from core.imaging import Frame, Roi, default_roi, read_frame
from core.imaging.decoding.pool import count_cores
from core.inference import Case, ImageReading, View
from models.bundle import Bundle

Row = dict[str, Any]
Lesion = tuple[Frame, Roi]
ATTEMPTS = 3
SHORT_OF = (errno.EMFILE, errno.ENFILE, errno.ENOMEM)
SHORT = "This computer is short of memory or open files at the moment. Go on with the scoring later."


class Reader(Protocol):
    """What reads images: a Predictor, or the way to the worker that many sessions share."""

    @property
    def bundle(self) -> Bundle:
        """The bundle that answers."""

    @property
    def at_once(self) -> int:
        """How many images `read_images` is best given."""

    def read_images(self, cases: Sequence[Lesion]) -> list[ImageReading]:
        """Run the network on several lesions."""


class LocalScorer:
    """Scores rows on this machine.

    Parameters
    ----------
    reader : Reader
        Bundle and network.
    """

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    @property
    def bundle(self) -> Bundle:
        """The bundle that answers."""
        return self._reader.bundle

    def score_rows(self, rows: Iterable[Row]) -> Iterator[tuple[int, Row]]:
        """Score rows as they come; a few images are held at a time, however many rows there are.

        Parameters
        ----------
        rows : iterable of dict
            With row, path and box, as `core.cohort.manifest.read_rows` gives them.

        Yields
        ------
        tuple of (int, dict)
            Row number, and the score of each head, or "refused" with the reason.
        """
        decoders, at_once = count_cores(), self._reader.at_once
        pending = iter(rows)
        queue: deque[tuple[Row, Future[Lesion]]] = deque()
        with ThreadPoolExecutor(decoders) as threads:
            try:
                while True:
                    for row in islice(pending, at_once + 2 * decoders - len(queue)):
                        queue.append((row, threads.submit(decode_row, row, bulk=True)))
                    if not queue:
                        return
                    yield from self._score([queue.popleft() for _ in range(min(at_once, len(queue)))])
            finally:
                for _, future in queue:
                    future.cancel()

    def _score(self, group: list[tuple[Row, "Future[Lesion]"]]) -> Iterator[tuple[int, Row]]:
        decoded: list[tuple[int, Lesion]] = []
        for row, future in group:
            try:
                decoded.append((row["row"], future.result()))
            except InputError as error:
                yield row["row"], {"refused": str(error)}
            except OSError as error:
                if error.errno in SHORT_OF:
                    raise BusyError(SHORT) from None
                yield row["row"], {"refused": "The image file can't be opened."}
        if decoded:
            numbers, cases = zip(*decoded, strict=True)
            yield from zip(numbers, self._read(cases), strict=True)

    def _read(self, cases: Sequence[Lesion]) -> list[Row]:
        """Read a batch; where one image spoils it, each alone."""
        try:
            return [_list_scores(*one) for one in zip(self._try(cases, ATTEMPTS), cases, strict=True)]
        except InputError as error:
            if len(cases) == 1:
                return [{"refused": str(error)}]
            return [self._read([case])[0] for case in cases]

    def _try(self, cases: Sequence[Lesion], attempts: int) -> list[ImageReading]:
        """Ask the network, again if it fails; that is no verdict on an image, so the run ends there in the end."""
        try:
            return self._reader.read_images(cases)
        except WorkError:
            if attempts == 1:
                raise
            return self._try(cases, attempts - 1)


def decode_row(row: Mapping[str, Any], *, bulk: bool = False) -> Lesion:
    """Decode the image of a row, with its lesion box or a default one; `bulk` is that of `read_frame`."""
    frame = read_frame(row["path"].read_bytes(), bulk=bulk)
    return frame, default_roi(frame) if row["box"] is None else frame.to_frame(Roi(*row["box"]))


def read_case(rows: Sequence[Row]) -> Case:
    """Decode the images of a patient; clinical values are those of the first row."""
    views, faults = [], []
    for row in rows:
        try:
            views.append(View(*decode_row(row)))
        except InputError as error:
            faults.append(error)
    if not views:
        raise faults[0]
    known = {name: rows[0][name] for name in M1_PREDICTORS if rows[0].get(name) is not None}
    clinical: dict[str, Any] = parse_inputs(known)
    return Case(tuple(views), clinical)


def _list_scores(reading: ImageReading, lesion: Lesion) -> Row:
    if reading.applicability.status == "refused":
        return {"refused": " ".join(reading.applicability.reasons)}
    cautions = {"cautions": list(reading.applicability.reasons)} if reading.applicability.status == "caution" else {}
    frame, roi = lesion
    box = [roi.x0, roi.y0, roi.x1, roi.y1]
    seen = {"input_sha256": reading.input_sha256, "device": frame.device, "box": box}
    return dict(reading.scores) | cautions | {"seen": seen}

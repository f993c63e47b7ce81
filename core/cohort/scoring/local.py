"""Rows of a manifest to image scores on this machine: files decoded ahead in parallel processes, read in batches."""

import base64
import errno
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from core.clinical import M1_PREDICTORS, parse_inputs
from core.errors import BusyError, InputError, WorkError
from core.imaging import Frame, Roi, read_frame
from core.imaging.decoding.pool import count_cores
from core.inference import Case, ImageReading, View
from core.inference.lesion import Lesion
from core.inference.lesion_finder import BoxSource, propose_box
from models.bundle import Bundle

Row = dict[str, Any]
Boxed = tuple[Frame, Roi, BoxSource]
Find = Callable[[Frame], Sequence[Lesion]]
ATTEMPTS = 3
SHORT_OF = (errno.EMFILE, errno.ENFILE, errno.ENOMEM)
NO_LESION = "The table gives no box and no lesion was found: a default box was taken."
SHORT = "This computer is short of memory or open files at the moment. Go on with the scoring later."


class Reader(Protocol):
    """What reads images: a Predictor, or the way to the worker that many sessions share."""

    @property
    def bundle(self) -> Bundle:
        """The bundle that answers."""

    @property
    def at_once(self) -> int:
        """How many images `read_images` is best given."""

    def read_images(self, cases: Sequence[tuple[Frame, Roi]]) -> list[ImageReading]:
        """Run the network on several lesions."""

    def find_lesions(self, frame: Frame) -> Sequence[Lesion]:
        """Outline the lesions of a frame, best first."""


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
        """Score rows as they come; a few images are held at a time, however many rows there are."""
        decoders, at_once = count_cores(), self._reader.at_once
        pending = iter(rows)
        queue: deque[tuple[Row, Future[Frame]]] = deque()
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

    def _score(self, group: list[tuple[Row, "Future[Frame]"]]) -> Iterator[tuple[int, Row]]:
        decoded: list[tuple[int, Boxed]] = []
        for row, future in group:
            try:
                decoded.append((row["row"], box_row(row, future.result(), self._reader.find_lesions)))
            except InputError as error:
                yield row["row"], {"refused": str(error)}
            except OSError as error:
                if error.errno in SHORT_OF:
                    raise BusyError(SHORT) from None
                yield row["row"], {"refused": "The image file can't be opened."}
        if decoded:
            numbers, cases = zip(*decoded, strict=True)
            yield from zip(numbers, self._read(cases), strict=True)

    def _read(self, cases: Sequence[Boxed]) -> list[Row]:
        """Read a batch; where one image spoils it, each alone."""
        try:
            readings = self._try([(frame, roi) for frame, roi, _ in cases], ATTEMPTS)
            return [_list_scores(*one) for one in zip(readings, cases, strict=True)]
        except InputError as error:
            if len(cases) == 1:
                return [{"refused": str(error)}]
            return [self._read([case])[0] for case in cases]

    def _try(self, cases: Sequence[tuple[Frame, Roi]], attempts: int) -> list[ImageReading]:
        """Ask the network, again if it fails; that is no verdict on an image, so the run ends there in the end."""
        try:
            return self._reader.read_images(cases)
        except WorkError:
            if attempts == 1:
                raise
            return self._try(cases, attempts - 1)


def decode_row(row: Mapping[str, Any], *, bulk: bool = False) -> Frame:
    """Decode the image of a row; `bulk` is that of `read_frame`."""
    return read_frame(row["path"].read_bytes(), bulk=bulk)


def box_row(row: Mapping[str, Any], frame: Frame, find: Find) -> Boxed:
    """Give the row's lesion box, or the proposed one where it has none."""
    if row["box"] is not None:
        return frame, frame.to_frame(Roi(*row["box"])), "drawn"
    return frame, *propose_box(frame, find)


def read_case(rows: Sequence[Row], find: Find) -> Case:
    """Decode the images of a patient's rows; clinical values are those of the first row.

    `find` outlines the lesions of a frame, for rows without a box. An InputError where no image could be read.
    """
    views, faults = [], []
    for row in rows:
        try:
            frame, roi, _ = box_row(row, decode_row(row), find)
            views.append(View(frame, roi))
        except InputError as error:
            faults.append(error)
    if not views:
        raise faults[0]
    known = {name: rows[0][name] for name in M1_PREDICTORS if rows[0].get(name) is not None}
    clinical: dict[str, Any] = parse_inputs(known)
    return Case(tuple(views), clinical)


def pack_refits(scores: NDArray[np.float64]) -> str:
    """Write the image score under each refit as text, for the journal."""
    return base64.b85encode(scores.astype("<f4").tobytes()).decode("ascii")


def unpack_refits(text: str) -> NDArray[np.float32]:
    """Read what `pack_refits` wrote."""
    return np.frombuffer(base64.b85decode(text), dtype="<f4")


def _list_scores(reading: ImageReading, lesion: Boxed) -> Row:
    if reading.applicability.status == "refused":
        return {"refused": " ".join(reading.applicability.reasons)}
    frame, roi, source = lesion
    cautions = list(reading.applicability.reasons) if reading.applicability.status == "caution" else []
    cautions += [NO_LESION] if source == "default" else []
    box = [roi.x0, roi.y0, roi.x1, roi.y1]
    return {
        "scores": dict(reading.scores),
        "refits": pack_refits(reading.refit_scores),
        "box_source": source,
        "seen": {"input_sha256": reading.input_sha256, "device": frame.device, "box": box},
    } | ({"cautions": cautions} if cautions else {})

"""A cine loop read frame by frame: the lesion followed, each frame scored, and their mean; no pixels are kept."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from core.errors import ImageError
from core.imaging import Frame, Roi, assess_quality
from core.inference.lesion import Lesion, list_edges, measure_overlap
from core.inference.prediction import Applicability, ImageReading

MOST_FRAMES = 2000
STRIDE, MOST_SAMPLES = 5, 100
CHUNK = 8
LEAST_OVERLAP = 0.1
SMOOTH = (0.25, 0.5, 0.25)
ReadFrames = Callable[[Sequence[int]], list[Frame]]
Progress = Callable[[int, int], None]


class LoopReader(Protocol):
    """What reads frames in bulk: the way to the worker, or a predictor with a lesion finder."""

    def read_images(self, cases: Sequence[tuple[Frame, Roi]]) -> list[ImageReading]:
        """Run the network on several lesions."""

    def find_lesions(self, frame: Frame) -> tuple[Lesion, ...]:
        """Outline the lesions of a frame."""


@dataclass(frozen=True)
class LoopFrame:
    """One frame of a loop, read."""

    index: int  # which, from 0
    roi: Roi  # where the lesion was followed to, pixels of the frame
    reading: ImageReading  # what the network read
    fault: str  # what speaks against its quality; empty where it passes

    @property
    def score(self) -> float:
        """Ki-67 image score."""
        return self.reading.scores["ki67"]


@dataclass(frozen=True)
class LoopReading:
    """A loop, read; it holds no pixels."""

    frames: tuple[LoopFrame, ...]  # in their order

    @property
    def passing(self) -> tuple[LoopFrame, ...]:
        """The frames whose quality passes."""
        return tuple(frame for frame in self.frames if not frame.fault)

    @property
    def spread(self) -> float:
        """Standard deviation of the image score over the frames that pass; 0 for fewer than two."""
        scores = [frame.score for frame in self.passing]
        return float(np.std(scores, ddof=1)) if len(scores) > 1 else 0.0

    def join(self, shown: int) -> ImageReading:
        """Give the mean over the frames that pass, laid over one of them."""
        passing = self.passing
        if not passing:
            raise ImageError("No frame of the loop passes the checks of quality: choose a frame and check its box.")
        readings = [frame.reading for frame in passing]
        at = min(self.frames, key=lambda frame: abs(frame.index - shown)).reading
        hashes = " ".join(reading.input_sha256 for reading in readings)
        note = f"Mean of the {len(passing)} of {len(self.frames)} frames whose quality passes."
        return ImageReading(
            scores={name: float(np.mean([one.scores[name] for one in readings])) for name in at.scores},
            refit_scores=np.mean([one.refit_scores for one in readings], axis=0),
            score_map=np.mean([one.score_map for one in readings], axis=0),
            offset=at.offset,
            area=at.area,
            applicability=Applicability("ok", (note,)),
            input_sha256=hashlib.sha256(hashes.encode()).hexdigest(),
            seconds=sum(one.seconds for one in readings),
        )


def read_loop_frames(
    read_frames: ReadFrames, reader: LoopReader, start: tuple[int, Roi], *, count: int, progress: Progress
) -> LoopReading:
    """Follow the lesion through a loop, and read every frame; a few frames are held at a time."""
    if count > MOST_FRAMES:
        raise ImageError(f"The loop has {count} frames; at most {MOST_FRAMES} can be read. Cut it to the lesion.")
    boxes = follow_lesion(read_frames, reader, start, count=count, progress=progress)
    frames: list[LoopFrame] = []
    for first in range(0, count, CHUNK):
        indices = range(first, min(first + CHUNK, count))
        read = read_frames(indices)
        cases = [(frame, _clip(boxes[index], frame)) for index, frame in zip(indices, read, strict=True)]
        for index, case, reading in zip(indices, cases, reader.read_images(cases), strict=True):
            frames.append(LoopFrame(index, case[1], reading, _find_fault(*case, reading)))
        progress(len(frames), count)
    return LoopReading(tuple(frames))


def follow_lesion(
    read_frames: ReadFrames, reader: LoopReader, start: tuple[int, Roi], *, count: int, progress: Progress
) -> list[Roi]:
    """Find the lesion's box in every frame: looked for in some, smoothed, and drawn straight between them."""
    index, roi = start
    stride = max(STRIDE, -(-count // MOST_SAMPLES))
    samples = sorted({*range(0, count, stride), index, count - 1})
    found = {}
    for sample in samples:
        progress(0, count)
        (frame,) = read_frames([sample])
        found[sample] = [list_edges(lesion.box) for lesion in reader.find_lesions(frame)]
    box = list_edges(roi)
    at_start = _choose(found[index], box)
    margin = np.zeros(4) if at_start is None else box - at_start
    followed = {index: box}
    for way in (samples[samples.index(index) + 1 :], samples[: samples.index(index)][::-1]):
        last = box
        for sample in way:
            lesion = _choose(found[sample], last)
            followed[sample] = last = last if lesion is None else lesion + margin
    edges = np.stack([followed[sample] for sample in samples])
    if len(edges) > 2:
        edges[1:-1] = SMOOTH[0] * edges[:-2] + SMOOTH[1] * edges[1:-1] + SMOOTH[2] * edges[2:]
    edges[samples.index(index)] = box
    every = np.stack([np.interp(range(count), samples, edges[:, edge]) for edge in range(4)], axis=1)
    return [Roi(*map(float, row)) for row in every]


def _choose(candidates: list[NDArray[np.float64]], last: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """Choose the box that overlaps the last one most; None where none does."""
    overlaps = [measure_overlap(candidate, last) for candidate in candidates]
    return candidates[int(np.argmax(overlaps))] if overlaps and max(overlaps) >= LEAST_OVERLAP else None


def _clip(roi: Roi, frame: Frame) -> Roi:
    """Keep a box within its frame, four pixels wide at least."""
    x0, y0 = min(max(roi.x0, 0.0), frame.width - 4.0), min(max(roi.y0, 0.0), frame.height - 4.0)
    return Roi(x0, y0, min(max(roi.x1, x0 + 4), frame.width), min(max(roi.y1, y0 + 4), frame.height))


def _find_fault(frame: Frame, roi: Roi, reading: ImageReading) -> str:
    """Say what speaks against a frame: its quality, or what the network takes it for."""
    faults = [finding.sentence for finding in assess_quality(frame, roi) if finding.status in {"caution", "refused"}]
    if reading.applicability.status != "ok":
        faults = faults or list(reading.applicability.reasons)
    return faults[0] if faults else ""

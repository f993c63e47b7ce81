"""A loop read frame by frame: the lesion followed, the mean exact, memory bounded, and a stop that stops."""

from collections.abc import Sequence
from dataclasses import replace
from threading import Event

import numpy as np
import pytest

from core.errors import ImageError
from core.imaging import Frame, Roi
from core.inference import Applicability, ImageReading
from core.inference.lesion import Lesion
from core.inference.loop import CHUNK, MOST_FRAMES, LoopFrame, LoopReading, follow_lesion, read_loop_frames
from core.inference.loop_job import LoopJob

SQUARE = np.array([[0.0, 0.0], [40.0, 0.0], [40.0, 30.0], [0.0, 30.0]])
AT = Roi(50, 40, 90, 70)


def make_frame(index: int) -> Frame:
    pixels = np.random.default_rng(index).integers(20, 200, (120, 200)).astype(np.uint8)
    return Frame(pixels, None, (0.0, 0.0), (1.0, 1.0), "0" * 64, frame_index=index, frame_count=40)


class Loop:
    """A loop whose lesion moves a pixel to the right from frame to frame; another one lies far away."""

    def __init__(self, unseen: Sequence[int] = ()) -> None:
        self.unseen, self.held, self.most = set(unseen), 0, 0

    def read_frames(self, indices: Sequence[int]) -> list[Frame]:
        self.most = max(self.most, len(indices))
        return [make_frame(index) for index in indices]

    def find_lesions(self, frame: Frame) -> tuple[Lesion, ...]:
        far = Lesion(SQUARE / 4 + [5, 5], 0.95)
        if frame.frame_index in self.unseen:
            return (far,)
        return (far, Lesion(np.add(SQUARE, (50 + frame.frame_index, 40)), 0.9))

    def read_images(self, cases: Sequence[tuple[Frame, Roi]]) -> list[ImageReading]:
        return [
            ImageReading(
                scores={"ki67": roi.x0 / 100},
                refit_scores=np.full(5, roi.x0 / 100),
                score_map=np.full((2, 2), roi.x0 / 100 - 0.1),
                offset=0.1,
                area=(roi.x0, roi.y0, roi.x1, roi.y1),
                applicability=Applicability("ok"),
                input_sha256=f"{frame.frame_index:064d}",
                seconds=0.01,
            )
            for frame, roi in cases
        ]


def read(loop: Loop, count: int = 40) -> LoopReading:
    return read_loop_frames(loop.read_frames, loop, (0, AT), count=count, progress=lambda *_: None)


def test_the_lesion_is_followed_and_not_the_other_one() -> None:
    boxes = follow_lesion(Loop().read_frames, Loop(), (0, AT), count=40, progress=lambda *_: None)
    assert boxes[0] == AT
    assert [box.x0 for box in boxes[5:35]] == pytest.approx([50 + i for i in range(5, 35)], abs=1.5)
    assert {box.width for box in boxes} == {40.0}


def test_a_drawn_box_keeps_its_margin_around_the_lesion() -> None:
    drawn = Roi(AT.x0 + 20 - 6, 34, AT.x1 + 20 + 6, 76)
    boxes = follow_lesion(Loop().read_frames, Loop(), (20, drawn), count=40, progress=lambda *_: None)
    assert boxes[20] == drawn
    assert boxes[10].x0 == pytest.approx(60 - 6, abs=1.5)
    assert boxes[10].height == pytest.approx(42)


def test_where_the_lesion_is_not_seen_the_box_stays() -> None:
    loop = Loop(unseen=range(10, 40))
    boxes = follow_lesion(loop.read_frames, loop, (0, AT), count=40, progress=lambda *_: None)
    assert boxes[39].x0 == pytest.approx(55, abs=2)


def test_every_frame_is_read_and_few_are_held_at_a_time() -> None:
    loop = Loop()
    assert [frame.index for frame in read(loop).frames] == list(range(40))
    assert loop.most <= CHUNK
    with pytest.raises(ImageError, match=f"at most {MOST_FRAMES}"):
        read(loop, MOST_FRAMES + 1)


def test_the_mean_takes_the_frames_that_pass_and_its_map_adds_up() -> None:
    whole = read(Loop())
    frames = [replace(f, fault="Too dark." if f.index % 2 else "") for f in whole.frames]
    loop = LoopReading(tuple(frames))
    mean = loop.join(shown=6)
    expected = np.mean([f.score for f in frames if not f.fault])
    assert mean.scores["ki67"] == pytest.approx(expected)
    assert mean.score_map.mean() + mean.offset == pytest.approx(mean.scores["ki67"], abs=1e-9)
    assert mean.area == frames[6].reading.area
    assert "20 of 40 frames" in mean.applicability.reasons[0]
    assert loop.spread == pytest.approx(np.std([f.score for f in frames if not f.fault], ddof=1))


def test_a_loop_without_a_frame_that_passes_has_no_mean() -> None:
    (frame,) = read(Loop(), 1).frames
    with pytest.raises(ImageError, match="No frame of the loop passes"):
        LoopReading((LoopFrame(0, AT, frame.reading, "Too dark."),)).join(0)


def test_a_job_is_stopped_and_says_what_failed() -> None:
    go, loop = Event(), Loop()

    def wait(indices: Sequence[int]) -> list[Frame]:
        go.wait(20)
        return loop.read_frames(indices)

    job = LoopJob(wait, loop, (0, AT), count=40)
    job.close()
    go.set()
    job.wait(20)
    assert (job.reading, job.failure, job.is_running) == (None, None, False)

    def fail(indices: Sequence[int]) -> list[Frame]:
        raise ImageError("The file is damaged.")

    job = LoopJob(fail, loop, (0, AT), count=40)
    job.wait(20)
    assert str(job.failure) == "The file is damaged."
    job = LoopJob(loop.read_frames, loop, (0, AT), count=40)
    job.wait(60)
    assert job.done == len(job.reading.frames) == 40

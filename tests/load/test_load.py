"""A few real sessions for a few seconds: every answer is right, none is an error. No timing is asserted."""

import asyncio
from pathlib import Path

import pytest

from core.benchmark.pages import draw_images
from tests.load.clinic import ACTIONS, Tally, visit
from tests.load.cohort import run_course
from tests.load.server import serve

pytestmark = pytest.mark.slow


def test_sessions_get_their_estimates_and_no_error(tmp_path: Path) -> None:
    with serve(tmp_path) as served:
        tally = asyncio.run(visit(served.address, 4, every=1.5, seconds=12, patience=120, images=draw_images(6)))
        assert min(served.resident_mb()) > 20
    assert tally.errors == []
    assert all(tally.seconds[name] for name in ACTIONS)


def test_cases_are_answered_while_a_cohort_is_scored(tmp_path: Path) -> None:
    course = run_course(tmp_path, rows=80, cases=2, pause=0.2, tell=lambda _: None)
    assert course.cohort is not None
    assert (len(course.cohort.table), course.cohort.refused) == (80, ())
    assert len(course.idle) == len(course.busy) == 2
    assert course.memory[-1][0] == 80


def test_percentiles_are_those_of_the_waits() -> None:
    tally = Tally()
    tally.seconds["predict"] = [float(i) for i in range(101)]
    assert (tally.quantile(50, "predict"), tally.quantile(95, "predict"), tally.quantile(95)) == (50.0, 95.0, 95.0)

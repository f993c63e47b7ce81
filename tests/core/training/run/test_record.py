"""What is kept of a training comes back as it was."""

from pathlib import Path

from core.cohort.record import Choices
from core.errors import TableError, WorkError
from core.training.plan import TrainingPlan
from core.training.run.record import EVERY_SECONDS, Order, RunFolder, StepClock
from models.cutoff import Cutoff

PLAN = TrainingPlan(
    name="Ours",
    description="x",
    simulated=False,
    cutoff=Cutoff(14.0, ">"),
    external=("Graz",),
    choices=Choices(
        {"centre": "Wo"}, ("odd",), {"size_mm@Graz": "cm"}, {"palpable": {"j": "yes"}}, sheet="S", exact_ids=True
    ),
    kept=frozenset({2, 40}),
    confined=True,
)


def test_an_order_comes_back_as_it_was(tmp_path: Path) -> None:
    order = Order(PLAN, tmp_path / "a.csv", tmp_path / "backbone", tmp_path / "in_use")
    run = RunFolder(tmp_path)
    run.write_order(order)
    assert run.read_order() == order


def test_how_it_ended_is_kept(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    run.begin()
    assert isinstance(run.find_failure(), WorkError)
    run.note_stop()
    assert run.find_failure() is None
    run.begin()
    run.write_failure("Too few.", [(3, "empty")])
    failure = run.find_failure()
    assert isinstance(failure, TableError)
    assert (str(failure), failure.rows) == ("Too few.", ((3, "empty"),))
    run.begin()
    run.write_result({"notes": ["n"]})
    assert run.find_failure() is None
    assert run.read_result() == {"notes": ["n"]}


def test_the_clock_counts_each_step_and_tells_the_time_left(tmp_path: Path, monkeypatch) -> None:
    now = [100.0]
    monkeypatch.setattr("core.training.run.record.time.monotonic", lambda: now[0])
    run = RunFolder(tmp_path)
    clock = StepClock(run)
    for step, done, seconds in (
        ("images", 4, 0.0),
        ("images", 8, 2.0),
        ("images", 9, EVERY_SECONDS / 2),
        ("views", 4, 1.0),
    ):
        now[0] += seconds
        clock(step, done, 16)
        read = run.read_progress()
        assert read is not None
        if step == "images":
            assert (read.done, read.seconds_left) == ((4, None) if done == 4 else (8, 4.0))
    assert (read.step, read.done, read.seconds_left) == ("views", 4, None)

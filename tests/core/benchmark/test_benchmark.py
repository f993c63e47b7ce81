"""The benchmark times every part, compares one image with the fastest forward pass, and says what is missing."""

import sys
from pathlib import Path

import pytest

from core import benchmark, cli
from core.benchmark import Benchmark, forward, register, run_benchmark
from core.benchmark.pages import CHANGED_VALUE, FIRST_ESTIMATE, GIVEN, NEXT_PATIENT, SECOND_VIEW
from core.benchmark.startup import ANSWER, FIRST_PAGE, time_startup
from core.benchmark.timing import Timing, time_parts
from core.inference.engines.choice import choose_engine


@pytest.fixture(scope="module")
def found(bundle_dir: Path) -> Benchmark:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(register, "COPIES", 1)  # a million rows take minutes to write
        for parts in ("list_evaluation_parts", "list_document_parts"):  # these have tests of their own
            patch.setattr(benchmark, parts, lambda bundle: {})
        return run_benchmark(bundle_dir, rounds=1, starts=1)


def test_every_part_is_timed(found: Benchmark) -> None:
    names = {timing.name for timing in found.timings}
    assert min(t.milliseconds for t in found.timings if t.milliseconds is not None) > 0
    assert {"bare forward, torch on the CPU, fp32", "bare forward, OpenVINO on the CPU, fp32"} <= names
    assert {"change of a clinical value", ANSWER, FIRST_PAGE, GIVEN, SECOND_VIEW, CHANGED_VALUE, NEXT_PATIENT} <= names
    assert any(name.startswith("prediction and heat map from a decoded frame, SonoKi") for name in names)


def test_the_measure_is_the_fastest_bare_forward(found: Benchmark) -> None:
    bare = [t.milliseconds for t in found.timings if t.name.startswith("bare forward") and t.milliseconds]
    assert found.fastest == min(bare)
    assert not any(name.startswith(("AUC", "start-up")) for name in found.compared)


def test_the_first_page_comes_after_the_health_check(found: Benchmark) -> None:
    times = {timing.name: timing.milliseconds for timing in found.timings}
    assert 0 < times[ANSWER] < times[FIRST_PAGE]


def test_a_changed_value_sends_less_than_the_first_estimate(found: Benchmark) -> None:
    """A browser keeps the picture, and says so."""
    sent = {timing.name: timing.kilobytes for timing in found.timings}
    assert 1 < sent[CHANGED_VALUE] < 150
    assert sent[CHANGED_VALUE] < sent[FIRST_ESTIMATE]


def test_memory_is_that_of_a_loaded_model(found: Benchmark) -> None:
    """Without torch, which alone takes more than this, where OpenVINO runs."""
    assert found.memory is None or 100 < found.memory < (700 if choose_engine() == "openvino" else 8000)


def test_decoding_is_timed_and_a_loop_takes_the_memory_of_a_few_frames(found: Benchmark) -> None:
    timed = {timing.name for timing in found.timings if timing.name.startswith("decode a ")}
    isolated = {f"decode {name}" for name in found.decoding_memory}
    assert len(isolated) == 3
    assert timed - isolated == {"decode a frame of 1024 x 768, not isolated"}
    assert isolated < timed
    assert all(20 < memory < 600 for memory in found.decoding_memory.values())


def test_a_missing_library_is_named_as_such(bundle_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    parts = forward.list_forward_parts(bundle_dir)
    missing = [timing.name for timing in time_parts(parts, 1) if timing.milliseconds is None]
    assert missing == ["bare forward, ONNX Runtime on the CPU, fp32"]


def test_the_table_has_a_row_a_part(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    found = Benchmark(
        timings=(
            Timing("ours", 11.0, 5),
            Timing("a page", 80.0, 5, kilobytes=20.4, p95_milliseconds=91.0),
            Timing("theirs", None, 0),
        ),
        fastest=10.0,
        compared=frozenset({"ours", "theirs"}),
        memory=312.4,
        decoding_memory={"a frame of 8 x 6": 91.4},
        machine={"processor": "A CPU", "cores": 2, "vector_units": ["avx2"], "gpus": 0},
        versions={"python": "3.11.7"},
    )
    monkeypatch.setattr("core.benchmark.run_benchmark", lambda *_, **__: found)
    monkeypatch.setattr(sys, "argv", ["core", "benchmark"])
    with pytest.raises(SystemExit, match="0"):
        cli.main()
    lines = capsys.readouterr().out.splitlines()
    assert lines[2:4] == ["| ours | 5 | 11.0 | | 1.10 | |", "| a page | 5 | 80.0 | 91.0 | | 20 |"]
    assert lines[4] == "| theirs | 0 | not installed | | | |"
    assert "A CPU, 2 cores (avx2), 0 GPUs; python 3.11.7." in lines
    assert lines[-2].endswith("312 MB.")
    assert lines[-1] == "Peak memory of a decoder for a frame of 8 x 6: 91 MB."


def test_the_app_that_does_not_start_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    from core.benchmark import startup
    from core.errors import WorkError

    monkeypatch.setattr(startup, "DEADLINE", 0.0)
    with pytest.raises(WorkError, match="did not answer within 0 seconds"):
        time_startup(1)

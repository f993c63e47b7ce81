from pathlib import Path

from core.benchmark import run_benchmark


def test_every_part_is_timed(bundle_dir: Path) -> None:
    timings = {timing.name: timing.milliseconds for timing in run_benchmark(bundle_dir, rounds=1)}
    assert min(timings.values()) > 0
    assert {"prediction and heat map, torch fp32", "prediction and heat map, torch bf16"} <= set(timings)
    assert timings["change of a clinical value, no pass"] < timings["prediction and heat map, torch fp32"]

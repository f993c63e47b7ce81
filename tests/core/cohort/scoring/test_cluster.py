"""Scoring on a local Ray cluster of two workers: the bytes of one machine, and a killed worker loses nothing."""

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.cohort.scoring import cluster
from core.cohort.scoring.cluster import RayScorer
from core.cohort.scoring.local import LocalScorer
from core.cohort.scoring.score import score_manifest
from core.errors import UsageError
from core.inference.predictor import Predictor
from core.simulation import write_cohort

N = 12
pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::FutureWarning", "ignore::DeprecationWarning"),
]


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    ray = pytest.importorskip("ray")
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, object_store_memory=100 * 2**20)
    yield ray.get_runtime_context().gcs_address
    ray.shutdown()


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_cohort(tmp_path_factory.mktemp("cluster"), N, 3)


@pytest.fixture(scope="module")
def alone(manifest: Path, bundle_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    scorer = LocalScorer(Predictor.load(bundle_dir))
    journal = tmp_path_factory.mktemp("alone") / "part"
    return score_manifest(manifest, scorer, journal, progress=lambda done, total: None).table.to_csv()


def test_two_workers_give_the_bytes_of_one_machine(
    address: str, manifest: Path, bundle_dir: Path, alone: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster, "CHUNK", 2)
    scorer = RayScorer(address, bundle_dir)
    scored = score_manifest(manifest, scorer, tmp_path / "part", progress=lambda done, total: None)
    assert scored.table.to_csv() == alone


def test_a_killed_worker_loses_nothing(
    address: str, manifest: Path, bundle_dir: Path, alone: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster, "CHUNK", 2)
    killed: list[int] = []

    def kill_one(done: int, total: int) -> None:
        if done == 2:
            killed.extend(find_workers()[:1])
            for pid in killed:
                os.kill(pid, signal.SIGKILL)

    scored = score_manifest(manifest, RayScorer(address, bundle_dir), tmp_path / "part", progress=kill_one)
    assert killed
    assert scored.table.to_csv() == alone


def find_workers() -> list[int]:
    """Find the processes of the cluster that score at the moment."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if path.read_bytes().startswith(b"ray::score_chunk"):
                found.append(int(path.parent.name))
        except OSError:
            continue
    return found


def test_without_ray_a_sentence_says_how_to_install_it(bundle_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(UsageError, match="pip install 'ray"):
        RayScorer("auto", bundle_dir)

"""kill -9 at any moment of a retraining leaves the old bundle whole, and the next run ends as if nothing had been."""

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from models.bundle import read_bundle
from tests.core.training.small_cohort import read_small_cohort, write_small_cohort
from tests.core.training.small_training import complete_backbone

ROOT = Path(__file__).parents[3]
MOMENTS, N = 20, 48

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def backbone(bundle_dir: Path) -> Path:
    return complete_backbone(bundle_dir)


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cohort whose patients are for the most part training patients."""
    path = write_small_cohort(tmp_path_factory.mktemp("cohort") / "patients", N)
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    table["split"] = ["test" if i % 4 == 0 else "train" for i in range(N)]
    table.to_csv(path, index=False)
    return path


@contextmanager
def open_trainer(manifest: Path, backbone: Path, out: Path, *, threads: int = 1) -> Iterator[Any]:
    """Start the program that trains, and give what trains once: after so many seconds it is killed."""
    command = [sys.executable, "-m", "tests.core.training.small_training", str(manifest), str(backbone), str(out)]
    environ = os.environ | {"OMP_NUM_THREADS": str(threads), "OPENBLAS_NUM_THREADS": str(threads)}
    with subprocess.Popen(
        command, cwd=ROOT, env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as trainer:
        stdin, stdout = trainer.stdin, trainer.stdout
        assert stdin is not None
        assert stdout is not None

        def train(seconds: float = 0.0) -> str:
            stdin.write(f"{seconds}\n")
            stdin.flush()
            return stdout.readline().strip()

        yield train
        stdin.close()


def read_files(folder: Path) -> dict[str, str]:
    """Give the hash of each file of a folder."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_a_kill_at_any_moment_loses_nothing(manifest: Path, backbone: Path, bundle_dir: Path) -> None:
    out, old = bundle_dir.with_name("retrained"), read_files(bundle_dir)
    killed = 0
    with open_trainer(manifest, backbone, out) as train:
        seconds = float(train())
        whole = read_files(out)
        for moment in np.random.default_rng().uniform(0, seconds, MOMENTS):
            if read_files(out) != old:
                shutil.rmtree(out)
                shutil.copytree(bundle_dir, out)
            ended = train(float(moment))
            killed += ended == "killed"
            assert read_bundle(out).name
            assert read_files(out) in ((old, whole) if ended == "killed" else (whole,)), f"after {moment:.2f} s"
        assert train() != "killed"
    assert read_files(out) == whole
    assert killed > MOMENTS // 2


def test_row_order_and_thread_count_do_not_change_the_hash(manifest: Path, backbone: Path, tmp_path: Path) -> None:
    table = read_small_cohort(manifest).sample(frac=1, random_state=1)
    table.to_csv(tmp_path / "shuffled.csv", index=False)
    found = []
    for path, threads in ((manifest, 1), (tmp_path / "shuffled.csv", 2)):
        out = tmp_path / f"threads-{threads}"
        with open_trainer(path, backbone, out, threads=threads) as train:
            assert train() != "killed"
        found.append(read_files(out))
    assert found[0] == found[1]

"""Rows of a manifest to image scores on a Ray cluster: the same code on each machine, in chunks of rows.

The machines see the program, the bundle and the images at the same paths. A chunk whose process or machine is lost is
scored again elsewhere.
"""

import os
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.cohort.scoring.local import LocalScorer, Row
from core.errors import UsageError
from core.inference.predictor import Predictor
from core.inference.trust import load_bundle

if TYPE_CHECKING:
    from models.bundle import Bundle

ROOT = Path(__file__).parents[3]
CHUNK = 32
CHUNKS_AHEAD = 2
RETRIES = 5
MISSING = "Scoring on a cluster needs Ray: install it by \"pip install 'ray>=2.40,<3'\", or leave --ray out."
Scored = list[tuple[int, Row]]


class RayScorer:
    """Scores rows on a Ray cluster.

    Parameters
    ----------
    address : str
        Of the cluster, host:port or "auto".
    folder : Path
        The bundle's folder, the same on every machine.
    engine : str, optional
        As in `Predictor.load`.

    Raises
    ------
    UsageError
        If Ray is not installed or the cluster does not answer.
    ModelError
        If the bundle is damaged.
    """

    def __init__(self, address: str, folder: Path, *, engine: str | None = None) -> None:
        self.bundle: Bundle = load_bundle(folder)
        self._folder, self._engine = folder.resolve(), engine
        self._ray = _connect(address)

    def score_rows(self, rows: Iterable[Row]) -> Iterator[tuple[int, Row]]:
        """Score rows as they come, two chunks ahead for each core of the cluster; results come in any order."""
        score = self._ray.remote(num_cpus=1, max_retries=RETRIES)(score_chunk)
        most = CHUNKS_AHEAD * max(1, int(self._ray.cluster_resources().get("CPU", 1)))
        pending = iter(rows)
        running: list[object] = []
        while True:
            while len(running) < most and (chunk := list(islice(pending, CHUNK))):
                running.append(score.remote(chunk, self._folder, self._engine))
            if not running:
                return
            done, running = self._ray.wait(running)
            for answer in self._ray.get(done):
                yield from answer


def score_chunk(rows: list[Row], folder: Path, engine: str | None) -> Scored:
    """Score a few rows in a process of the cluster, which keeps its Predictor for the next ones."""
    rows = [row | {"path": Path(row["path"]).resolve()} for row in rows]
    return list(LocalScorer(_load(folder, engine)).score_rows(rows))


@cache
def _load(folder: Path, engine: str | None) -> Predictor:
    return Predictor.load(folder, engine=engine)


def _connect(address: str) -> Any:
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"  # Ray reports its use to a server unless it is told not to
    try:
        import ray  # noqa: PLC0415 - an optional extra
    except ImportError:
        raise UsageError(MISSING) from None
    environment = {"env_vars": {"PYTHONPATH": str(ROOT)}}
    try:
        ray.init(address=address, runtime_env=environment, log_to_driver=False, ignore_reinit_error=True)
    except (ConnectionError, ValueError, RuntimeError):
        raise UsageError(f"No Ray cluster answers at {address[:80]}: start one by 'ray start --head'.") from None
    return ray

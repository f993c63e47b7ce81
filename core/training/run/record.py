"""What is kept of a training in its folder: what was asked for, how far it is, and what came of it."""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from core.cohort.record import Choices
from core.errors import AppError, TableError, WorkError
from core.training.plan import TrainingPlan
from models.cutoff import Cutoff

PLAN, PROGRESS, OUTCOME, STOPPED = "plan.json", "progress.json", "outcome.json", "stopped"
BUNDLE, PACKED, TRAINED, RESERVE = "bundle", "bundle.zip", "trained.json", "reserve"
RESERVED_BYTES, EVERY_SECONDS = 1 << 20, 0.5
STEPS = {
    "images": "Reading images",
    "views": "Reading views of the training images",
    "refits": "Fitting",
    "figures": "Computing the figures",
    "comparison": "Scoring with the bundle in use",
}
ENDED = "The training ended before its end: its process was killed, or this computer was short of memory or restarted."


@dataclass(frozen=True)
class Order:
    """What a training is asked for."""

    plan: TrainingPlan  # what the person decided
    # manifest, backbone: what it is trained on
    manifest: Path
    backbone: Path
    in_use: Path  # folder of the bundle that the new one is set beside


@dataclass(frozen=True)
class Progress:
    """How far a training is: its step, how much of it is done, and the seconds that the step still takes."""

    step: str
    done: int
    total: int
    seconds_left: float | None


class RunFolder:
    """The folder of one training.

    Parameters
    ----------
    path : Path
        The folder.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def bundle(self) -> Path:
        """Folder of the bundle that it makes."""
        return self.path / BUNDLE

    @property
    def packed(self) -> Path:
        """The bundle as one file."""
        return self.path / PACKED

    @property
    def begun(self) -> datetime:
        """When it was asked for."""
        return datetime.fromtimestamp((self.path / PLAN).stat().st_mtime, UTC)

    @property
    def was_stopped(self) -> bool:
        """Whether a person stopped it."""
        return (self.path / STOPPED).exists()

    def write_order(self, order: Order) -> None:
        """Keep what was asked for."""
        plan = asdict(order.plan) | {"cutoff": order.plan.cutoff.to_json(), "kept": sorted(order.plan.kept)}
        paths = {name: str(getattr(order, name)) for name in ("manifest", "backbone", "in_use")}
        self._write(PLAN, {"plan": plan, **paths})

    def read_order(self) -> Order:
        """Read what was asked for."""
        read = self._read(PLAN)
        if read is None:
            raise WorkError("What this training was asked for can't be read: remove it, and start again.")
        plan = dict(read["plan"])
        choices = plan["choices"]
        plan["choices"] = Choices(
            **choices | {"ignored": tuple(choices["ignored"]), "kept": tuple(choices["kept"])},
        )
        plan |= {"cutoff": Cutoff.from_json(plan["cutoff"]), "external": tuple(plan["external"])}
        plan["kept"] = frozenset(plan["kept"])
        return Order(TrainingPlan(**plan), *(Path(read[name]) for name in ("manifest", "backbone", "in_use")))

    def write_progress(self, progress: Progress) -> None:
        """Keep how far it is."""
        self._write(PROGRESS, asdict(progress))

    def read_progress(self) -> Progress | None:
        """Read how far it is; None before its first step."""
        read = self._read(PROGRESS)
        return None if read is None else Progress(**read)

    def begin(self) -> None:
        """Forget how an earlier attempt ended, and reserve room for saying how this one ends."""
        for name in (OUTCOME, STOPPED, PROGRESS):
            (self.path / name).unlink(missing_ok=True)
        (self.path / RESERVE).write_bytes(b"\0" * RESERVED_BYTES)

    def note_stop(self) -> None:
        """Note that a person stops it."""
        (self.path / STOPPED).touch()

    def write_trained(self, summary: Mapping[str, object]) -> None:
        """Keep what the training said, once its bundle is whole."""
        self._write(TRAINED, summary)

    def read_trained(self) -> dict[str, object] | None:
        """Read what the training said; None if its bundle is not whole yet."""
        return self._read(TRAINED)

    def write_failure(self, sentence: str, rows: Sequence[tuple[int, str]] = ()) -> None:
        """Keep why it failed, also where the disk is full."""
        (self.path / RESERVE).unlink(missing_ok=True)
        self._write(OUTCOME, {"failure": sentence, "rows": list(rows)})

    def write_result(self, result: Mapping[str, object]) -> None:
        """Keep what came of it."""
        (self.path / RESERVE).unlink(missing_ok=True)
        self._write(OUTCOME, {"result": dict(result)})

    def read_result(self) -> dict[str, Any] | None:
        """Read what came of it; None if it has not come to its end."""
        read = self._read(OUTCOME)
        return None if read is None else read.get("result")

    def find_failure(self) -> AppError | None:
        """Say why a training that does not run has no result; None where it has one or a person stopped it."""
        read = self._read(OUTCOME)
        if read is not None and "failure" in read:
            return TableError(read["failure"], tuple((int(row), str(why)) for row, why in read["rows"]))
        return None if read is not None or self.was_stopped else WorkError(f"{ENDED} What is done is kept: go on.")

    def _write(self, name: str, data: Mapping[str, object]) -> None:
        partial = self.path / f".{name}.partial"
        partial.write_text(json.dumps(data), encoding="utf-8")
        partial.replace(self.path / name)

    def _read(self, name: str) -> dict[str, Any] | None:
        try:
            return dict(json.loads((self.path / name).read_text(encoding="utf-8")))
        except (OSError, ValueError):
            return None


class StepClock:
    """Writes how far a training is, twice a second at most.

    Parameters
    ----------
    folder : RunFolder
        Where to.
    """

    def __init__(self, folder: RunFolder) -> None:
        self._folder, self._step, self._written = folder, "", 0.0

    def __call__(self, step: str, done: int, total: int) -> None:
        """Take that `done` of `total` parts of a step are done."""
        now = time.monotonic()
        if step != self._step:
            self._step, self._began, self._first, self._written = step, now, done, 0.0
        if now - self._written < EVERY_SECONDS and done < total:
            return
        self._written = now
        pace = (now - self._began) / (done - self._first) if done > self._first else None
        left = None if pace is None else (total - done) * pace
        self._folder.write_progress(Progress(step, done, total, left))

"""What the process of a training does: train, set the bundle beside the one in use, pack it, say how it ended."""

import logging
import os
import signal
import traceback
from contextlib import suppress
from pathlib import Path
from threading import Thread
from time import sleep

from core.errors import AppError, TableError
from core.training.run.record import Order, RunFolder, StepClock

FAULT = "The training ended by a fault of the program, not of your data. It was logged; what is done is kept."
FULL = "The disk is full, or a file can't be written: make room on the server, then go on."

log = logging.getLogger(__name__)


def main(folder: Path, lock: int) -> None:
    """Do the work of a training, behind all other work of this computer."""
    os.set_inheritable(lock, False)
    stand_back()
    Thread(target=_end_with_parent, args=(os.getppid(),), daemon=True).start()
    run = RunFolder(folder)
    try:
        run.write_result(train(run, run.read_order()))
    except AppError as error:
        run.write_failure(str(error), error.rows if isinstance(error, TableError) else ())
    except OSError:
        run.write_failure(FULL)
    except Exception as error:  # noqa: BLE001 - the last door: logged, without its message
        _log(error)
        run.write_failure(FAULT)


def train(run: RunFolder, order: Order) -> dict[str, object]:
    """Train a bundle, compare it with the one in use and pack it."""
    from core.training.bundle.package import pack_bundle  # noqa: PLC0415
    from core.training.bundle.train import train_bundle  # noqa: PLC0415
    from core.training.run.comparison import compare_with_bundle  # noqa: PLC0415

    clock = StepClock(run)
    kept = run.read_trained()
    if kept is None:
        summary = train_bundle(order.manifest, order.backbone, run.bundle, order.plan, progress=clock, replace=True)
        kept = {name: summary[name] for name in ("flow", "refused", "cautions", "notes")}
        run.write_trained(kept)
    compared = compare_with_bundle(run.bundle, order, run.path / "scores.part", progress=clock)
    pack_bundle(run.bundle, run.packed)
    return kept | {"comparison": compared}


def _log(error: Exception) -> None:
    log.error("%s\n%s", type(error).__qualname__, "".join(traceback.format_tb(error.__traceback__)))


def stand_back() -> None:
    """Take the time that cases and cohorts leave, and be the first to go where memory is short."""
    os.nice(19)
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")


def _end_with_parent(parent: int) -> None:
    """End when the server does; the next one goes on with what is done."""
    while os.getppid() == parent:
        sleep(1.0)
    os.kill(os.getpid(), signal.SIGTERM)

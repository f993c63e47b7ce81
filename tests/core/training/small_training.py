"""Train a bundle with a tiny network and few refits; a program of its own, which is killed after so many seconds.

Each line of stdin says after how many seconds the next training is killed, or 0 for never; each is a new process. It
answers with what is left: "killed", or the seconds that the whole training took.
"""

import os
import signal
import sys
import time
from pathlib import Path
from threading import Timer
from typing import Any

import numpy as np

from core.training.backbone.folder import BACKBONE, make_reference
from core.training.bundle.train import train_bundle
from core.training.plan import TrainingPlan
from models.architectures import ARCHITECTURES
from models.bundle import WEIGHTS, read_bundle
from models.efficientnet import EfficientNetLite, Scaling
from tests.conftest import ARCHITECTURE

PLAN = TrainingPlan(name="small", description="Simulated patients of a test.", simulated=True, n_refits=5, few=True)


def know_the_tiny_network() -> None:
    """Know the tiny network."""
    ARCHITECTURES[ARCHITECTURE] = lambda: EfficientNetLite(Scaling(0.25, 0.3))


def complete_backbone(bundle_dir: Path) -> Path:
    """Complete the fixture bundle's backbone by its card."""
    folder, bundle = (bundle_dir / "../backbone").resolve(), read_bundle(bundle_dir)
    card: dict[str, Any] = {
        "input": {"size": 96, "context": 1.75, "mean": 0.28, "std": 0.2},
        "architecture": bundle.manifest.architecture,
        "malignancy": bundle.image_heads["malignancy"].to_json(),
        "reference": make_reference(
            np.random.default_rng(0).normal(size=(50, len(bundle.image_heads["malignancy"].weights)))
        ),
        "gate": dict(bundle.gate),
        "gate_figures": {},
    }
    BACKBONE.write(folder, card, [WEIGHTS], "# Backbone\n")
    return folder


def main(manifest: Path, backbone: Path, out: Path) -> None:
    """Train for each line of stdin."""
    know_the_tiny_network()
    for line in sys.stdin:
        started = time.monotonic()
        child = os.fork()
        if not child:
            train_bundle(manifest, backbone, out, PLAN, progress=lambda *_: None, replace=True)
            os._exit(0)
        killer = Timer(float(line), os.kill, (child, signal.SIGKILL))
        if float(line):
            killer.start()
        status = os.waitpid(child, 0)[1]
        killer.cancel()
        ended = os.WIFEXITED(status) and not status
        sys.stdout.write(f"{time.monotonic() - started:.3f}\n" if ended else "killed\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))

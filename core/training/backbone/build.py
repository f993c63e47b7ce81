"""From the clinics' folders to the backbone's: left-out clinics and folds, a fit on all, figures, gate, card."""

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.distributed as dist
from numpy.typing import NDArray

from core.errors import UsageError
from core.imaging import Frame, read_frames
from core.inference.engines.choice import load_engine
from core.inference.engines.interface import Engine
from core.training.backbone.card import write_readable_card
from core.training.backbone.figures import Outcomes, calibrate_left_out, fit_temperature, measure_lesions, pool_lesions
from core.training.backbone.folder import make_reference, take_head, write_backbone_card, write_weights
from core.training.backbone.gate import GateData, fit_gate, make_gate_data, measure_gate, pool_crops
from core.training.backbone.pretrain import CONTEXT, MEAN, STD, PretrainNet, Recipe, pretrain
from core.training.clinics import N_FOLDS, Lesions, read_lesions
from core.training.features import Progress
from models.architectures import ARCHITECTURES
from models.fusion import ImageHead
from models.input_rule import InputRule

GATE_EVERY = 2  # frames


@dataclass(frozen=True)
class BackbonePlan:
    """What the person who trains decides.

    Parameters
    ----------
    folds : tuple of int
        Folds of patients to hold out in turn, 1 to 5.
    leave_out : tuple of str
        Clinics to leave out in turn.
    recipe : Recipe
        How each network is trained.
    """

    folds: tuple[int, ...]
    leave_out: tuple[str, ...]
    recipe: Recipe

    def __post_init__(self) -> None:
        if not set(self.folds) <= set(range(1, N_FOLDS + 1)):
            raise UsageError(f"Folds are 1 to {N_FOLDS}, not {', '.join(map(str, self.folds))}.")
        if self.recipe.architecture not in ARCHITECTURES:
            raise UsageError(
                f"There is no network '{self.recipe.architecture[:40]}': choose {', '.join(ARCHITECTURES)}."
            )

    def held_out(self, data: Lesions) -> dict[str, NDArray[np.bool_]]:
        """Give the lesions of each part that is held out, by its name."""
        unknown = set(self.leave_out) - set(data.clinic)
        if unknown:
            names = ", ".join(np.unique(data.clinic))
            raise UsageError(f"There is no clinic '{min(unknown)[:40]}' to leave out; there are {names}.")
        folds = {f"fold {fold}": data.fold == fold for fold in self.folds}
        return folds | {clinic: data.clinic == clinic for clinic in self.leave_out}


@dataclass(frozen=True)
class Sources:
    """Where the images lie.

    Parameters
    ----------
    busbra : Path
        BUS-BRA's folder.
    clinics : Path or None
        Folder of further clinics, as `core.training.clinics.read_index` reads it.
    """

    busbra: Path
    clinics: Path | None = None


def build_backbone(
    sources: Sources, out: Path, work: Path, plan: BackbonePlan, *, progress: Progress
) -> dict[str, Any]:
    """Train, measure and write the backbone; every part resumes from its checkpoint.

    Parameters
    ----------
    sources : Sources
        The images.
    out : Path
        Folder of the network, backbone.json and CARD.md.
    work : Path
        Folder of the checkpoints, each named after what decides it: data, held-out part, recipe.
    plan : BackbonePlan
        What is held out, and the recipe.
    progress : callable
        Called with steps done and all steps.

    Returns
    -------
    dict
        "backbone" (folder), "figures" by held-out part, "calibration", "gate".
    """
    data = read_lesions(sources.busbra, sources.clinics)
    held = plan.held_out(data)
    with _distributed():
        nets = {
            name: _train(data, ~mask, work / _name_run(data, name, plan.recipe), plan.recipe, progress)
            for name, mask in (held | {"none": np.zeros(len(data), dtype=bool)}).items()
        }
    if int(os.environ.get("RANK", "0")) != 0:
        return {}
    return _Writer(sources, data, plan, out, work).write(held, nets)


@dataclass(frozen=True)
class _Writer:
    """Measures trained networks and writes the last one."""

    sources: Sources
    data: Lesions
    plan: BackbonePlan
    out: Path
    work: Path

    def write(self, held: dict[str, NDArray[np.bool_]], nets: dict[str, PretrainNet]) -> dict[str, Any]:
        frames = tuple(read_frames([Path(path) for path in self.data.paths]))
        gate_data = make_gate_data(self.data, self.sources.clinics, self._rule, every=GATE_EVERY)
        figures, parts, gates = [], {}, {}
        for name, mask in held.items():
            engine, head = self._load(nets[name], self.work / _name_run(self.data, name, self.plan.recipe))
            measured = mask & ~self.data.doppler
            for clinic in np.unique(self.data.clinic[measured]):
                rows = np.flatnonzero(measured & (self.data.clinic == clinic))
                lesions = _select(self.data, rows)
                found, logit = measure_lesions(engine, head, lesions, [frames[row] for row in rows])
                figures.append({"held_out": name, "clinic": str(clinic), "boxes": found})
                if name == clinic:
                    parts[name] = (logit, lesions.malignant)
            if name in self.plan.leave_out:
                gates[name] = measure_gate(pool_crops(engine, gate_data.crops), gate_data, name)
        return self._write_final(nets["none"], frames, gate_data, figures, parts, gates)

    def _write_final(
        self,
        net: PretrainNet,
        frames: tuple[Frame, ...],
        gate_data: GateData,
        figures: list[dict[str, Any]],
        parts: dict[str, Outcomes],
        gates: dict[str, Any],
    ) -> dict[str, Any]:
        engine, head = self._load(net, self.out)
        pooled = pool_lesions(engine, frames, self.data.boxes)
        temperature = fit_temperature(list(parts.values())) if parts else 1.0
        clinics = {str(name): int(n) for name, n in zip(*np.unique(self.data.clinic, return_counts=True), strict=True)}
        about = {
            "architecture": self.plan.recipe.architecture,
            "malignancy": ImageHead(head.weights / temperature, head.bias / temperature).to_json(),
            "temperature": temperature,
            "gate": fit_gate(pool_crops(engine, gate_data.crops), gate_data.is_ultrasound).to_json(),
            "reference": make_reference(pooled),
            "training_data": {
                "lesions": clinics,
                "patients": len(np.unique(self.data.patient)),
                "sha256": self.data.hash(),
            },
            "recipe": asdict(self.plan.recipe),
            "figures": figures,
            "calibration": calibrate_left_out(parts),
            "gate_figures": gates,
        }
        write_backbone_card(self.out, about, engine.rule.size)
        write_readable_card(self.out, about)
        summary = {name: about[name] for name in ("figures", "calibration", "gate_figures")}
        return {"backbone": str(self.out), **summary}

    def _load(self, net: PretrainNet, folder: Path) -> tuple[Engine, ImageHead]:
        path = write_weights(net, self.plan.recipe.architecture, folder, self._rule.size)
        return load_engine(path, self._rule), take_head(net)

    @property
    def _rule(self) -> InputRule:
        return InputRule(self.plan.recipe.stages[-1][0], CONTEXT, MEAN, STD)


def _train(data: Lesions, train: NDArray[np.bool_], folder: Path, recipe: Recipe, progress: Progress) -> PretrainNet:
    return pretrain(data, train, folder, recipe, on_step=lambda step, total, _loss: progress(step, total))


def _name_run(data: Lesions, held_out: str, recipe: Recipe) -> str:
    """Name a run after what decides its weights, so that a checkpoint is never taken for another's."""
    decided = json.dumps([data.hash(), held_out, asdict(recipe)], sort_keys=True)
    return f"{held_out.replace(' ', '-')}-{hashlib.sha256(decided.encode()).hexdigest()[:12]}"


def _select(data: Lesions, rows: NDArray[np.int64]) -> Lesions:
    return Lesions(**{field.name: getattr(data, field.name)[rows] for field in fields(Lesions)})


@contextmanager
def _distributed() -> Iterator[None]:
    """Join the other processes when torchrun started several."""
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        yield
        return
    dist.init_process_group("nccl" if torch.cuda.is_available() else "gloo")
    try:
        yield
    finally:
        dist.destroy_process_group()

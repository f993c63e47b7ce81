"""From lesions to the backbone's folder: left-out clinics and folds, a fit on all, figures, gate, card."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.imaging import read_frames
from core.inference.engines.choice import load_engine
from core.inference.engines.interface import Engine
from core.training.backbone.card import write_readable_card
from core.training.backbone.figures import calibrate_left_out, fit_temperature, measure_lesions
from core.training.backbone.folder import make_reference, take_head, write_backbone_card, write_weights
from core.training.backbone.gate import Limits, choose_limits, fit_gate, measure_gate, score_left_out
from core.training.backbone.gate_data import GateData, make_gate_data, pool_crops
from core.training.backbone.imagenet import MEAN, STD
from core.training.backbone.pretrain import CONTEXT, PretrainNet, Recipe, pretrain
from core.training.clinics import Lesions
from core.training.features import Progress
from models.fusion import ImageHead
from models.input_rule import InputRule

GATE_EVERY = 2  # frames
EVERYTHING = "none"  # is held out


@dataclass(frozen=True)
class Parts:
    """What was held out in turn, and the networks that saw the rest."""

    data: Lesions  # all lesions
    # (n,), lesions of each part that was held out; a clinic's part has the clinic's name
    held: Mapping[str, NDArray[np.bool_]]
    nets: Mapping[str, PretrainNet]  # by part, and `EVERYTHING`


def train_backbones(
    data: Lesions, held: Mapping[str, NDArray[np.bool_]], work: Path, recipe: Recipe, *, progress: Progress
) -> Parts:
    """Train a network without each part, and one on everything; each resumes from its checkpoint."""

    def train(name: str, mask: NDArray[np.bool_]) -> PretrainNet:
        folder = work / name_run(data.hash(), name, asdict(recipe))
        return pretrain(data, ~mask, folder, recipe, on_step=lambda step, total, _loss: progress(step, total))

    everything = {EVERYTHING: np.zeros(len(data), dtype=bool)}
    return Parts(data, held, {name: train(name, mask) for name, mask in {**held, **everything}.items()})


def name_run(data: str, held_out: str, recipe: object) -> str:
    """Name a run after what decides its weights, so that a checkpoint is never taken for another's."""
    decided = json.dumps([data, held_out, recipe], sort_keys=True)
    return f"{held_out.replace(' ', '-')}-{hashlib.sha256(decided.encode()).hexdigest()[:12]}"


@dataclass(frozen=True)
class BackboneWriter:
    """Measures the networks of the held-out parts and writes the one that saw everything."""

    parts: Parts  # the networks
    recipe: Recipe  # how they were trained
    # folders of further clinics, whose lesion-free frames the applicability gate is fitted on too
    clinics: tuple[Path, ...]

    def write(self, out: Path, work: Path) -> dict[str, object]:
        """Write the network, backbone.json and CARD.md.

        The folder `work` holds the networks that did not see a part.
        """
        data = self.parts.data
        frames = tuple(read_frames([Path(path) for path in data.paths]))
        gate_data = make_gate_data(data, self.clinics, self._rule, every=GATE_EVERY)
        figures, outcomes, scores = [], {}, {}
        for name, mask in self.parts.held.items():
            engine, head = self.load(name, work / name.replace(" ", "-"))
            measured = mask & ~data.doppler
            for clinic in np.unique(data.clinic[measured]):
                rows = np.flatnonzero(measured & (data.clinic == clinic))
                lesions = _select(data, rows)
                found, logit = measure_lesions(engine, head, lesions, [frames[row] for row in rows])
                figures.append({"held_out": name, "clinic": str(clinic), "boxes": found})
                if name == clinic:
                    outcomes[name] = (logit, lesions.malignant)
                    scores[name] = score_left_out(pool_crops(engine, gate_data.crops), gate_data, name)
        about = {
            "figures": figures,
            "temperature": fit_temperature(list(outcomes.values())) if outcomes else 1.0,
            "calibration": calibrate_left_out(outcomes),
            "gate_figures": measure_gate(scores),
        }
        return self._write_final(out, gate_data, choose_limits(list(scores.values())), about)

    def load(self, name: str, folder: Path) -> tuple[Engine, ImageHead]:
        """Write one of the networks into a folder and load it with its malignancy head."""
        net = self.parts.nets[name]
        path = write_weights(net, self.recipe.architecture, folder, self._rule.size)
        return load_engine(path, self._rule), take_head(net)

    def _write_final(self, out: Path, gate_data: GateData, limits: Limits, measured: dict[str, Any]) -> dict[str, Any]:
        data = self.parts.data
        engine, head = self.load(EVERYTHING, out)
        pooled = pool_crops(engine, gate_data.crops)
        temperature = measured["temperature"]
        clinics = {str(name): int(n) for name, n in zip(*np.unique(data.clinic, return_counts=True), strict=True)}
        about = {
            "architecture": self.recipe.architecture,
            "malignancy": ImageHead(head.weights / temperature, head.bias / temperature).to_json(),
            "gate": fit_gate(pooled, gate_data.is_ultrasound, limits).to_json(),
            "reference": make_reference(pooled[gate_data.is_ultrasound], limits.distance),
            "training_data": {
                "lesions": clinics,
                "patients": len(np.unique(data.patient)),
                "sha256": data.hash(),
            },
            "recipe": asdict(self.recipe),
            **measured,
        }
        write_backbone_card(out, about, engine.rule.size, write_readable_card(about))
        return {"folder": str(out)} | {name: about[name] for name in ("figures", "calibration", "gate_figures")}

    @property
    def _rule(self) -> InputRule:
        return InputRule(self.recipe.size, CONTEXT, MEAN, STD)


def _select(data: Lesions, rows: NDArray[np.int64]) -> Lesions:
    return Lesions(**{field.name: getattr(data, field.name)[rows] for field in fields(Lesions)})

"""From outlined frames to the segmenter's folder: left-out clinics and folds, a fit on all, figures, card."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from core.imaging import default_roi
from core.inference.lesion import LesionRule
from core.inference.lesion_finder import LesionFinder
from core.training.backbone.build import EVERYTHING, BackboneWriter, name_run
from core.training.backbone.figures import measure_boxes
from core.training.backbone.imagenet import MEAN, STD
from core.training.clinics import find_box
from core.training.features import Progress
from core.training.loop import Schedule
from core.training.segmenter.card import LETTERBOX, write_readable_card
from core.training.segmenter.figures import (
    CONFIDENCES,
    THRESHOLD,
    MappedFrame,
    choose_confidence,
    map_frames,
    score_frames,
    summarise_scores,
)
from core.training.segmenter.frames import NORMAL, OutlinedFrames, read_mask
from core.training.segmenter.pretrain import train_segmenter
from models.efficientnet import EfficientNetLite
from models.exchange import SEGMENTER, GreySegmenter, write_network
from models.segmenter import Segmenter
from models.segmenter_card import WEIGHTS, write_card

LEAST_CONFIDENCE = 0.7  # where no clinic was left out
Held = Mapping[str, NDArray[np.bool_]]


def train_segmenters(
    data: OutlinedFrames,
    held: Held,
    encoders: Mapping[str, EfficientNetLite],
    work: Path,
    schedule: Schedule,
    *,
    progress: Progress,
) -> dict[str, Segmenter]:
    """Train a segmenter without each part, and one on everything; each resumes from its checkpoint."""

    def train(name: str, mask: NDArray[np.bool_]) -> Segmenter:
        folder = work / name_run(data.hash(), name, asdict(schedule))
        return train_segmenter(
            data, ~mask, encoders[name], folder, schedule, on_step=lambda step, total, _loss: progress(step, total)
        )

    everything = {EVERYTHING: np.zeros(len(data), dtype=bool)}
    return {name: train(name, mask) for name, mask in {**held, **everything}.items()}


@dataclass(frozen=True)
class SegmenterWriter:
    """Measures the segmenters of the held-out parts and writes the one that saw everything."""

    data: OutlinedFrames  # all frames
    held: Held  # (n,), frames of each part that was held out; a clinic's part has the clinic's name
    nets: Mapping[str, Segmenter]  # by part, and `EVERYTHING`
    schedule: Schedule  # how they were trained
    # the backbones that the same parts were held out from: they read the drawn and the proposed boxes
    backbone: BackboneWriter

    def write(self, out: Path, work: Path) -> dict[str, object]:
        """Write the network, segmenter.json and CARD.md.

        The folder `work` holds the networks that did not see a part.
        """
        mapped = {name: self._map(name, work / name.replace(" ", "-")) for name in self.held}
        clinics = [name for name in mapped if name in set(self.data.clinic)]
        tables = {
            name: {least: score_frames(mapped[name], self.data, least) for least in CONFIDENCES} for name in clinics
        }

        def choose(without: str = "") -> float:
            if not clinics:
                return LEAST_CONFIDENCE
            names = [name for name in clinics if name != without] or clinics
            return choose_confidence({least: [tables[name][least] for name in names] for least in CONFIDENCES})

        figures = {name: self._measure(name, mapped[name], choose(name), work) for name in mapped}
        card = self._describe(choose()) | {"figures": figures}
        self._write_net(EVERYTHING, out)
        write_card(out, card, write_readable_card(card))
        return {"folder": str(out), "least_confidence": card["least_confidence"], "figures": figures}

    def _measure(self, name: str, mapped: Sequence[MappedFrame], least: float, work: Path) -> dict[str, object]:
        scores = score_frames(mapped, self.data, least)
        summary = summarise_scores(scores, seed=self.schedule.seed)
        return {"least_confidence": least} | summary | {"boxes": self._compare_boxes(name, mapped, least, work)}

    def _compare_boxes(self, name: str, mapped: Sequence[MappedFrame], least: float, work: Path) -> dict[str, object]:
        """Estimate malignancy from the drawn and from the proposed box of frames with one lesion."""
        one_lesion = [one for one in mapped if self.data.label[one.row] != NORMAL and not self.data.several[one.row]]
        rows = np.array([one.row for one in one_lesion])
        rule = LesionRule(THRESHOLD, least)
        proposed = [(one.outline(rule), one.frame) for one in one_lesion]
        rois = [frame.to_source(lesions[0].box if lesions else default_roi(frame)) for lesions, frame in proposed]
        boxes = {
            "drawn": np.array([find_box(read_mask(self.data.masks[row])) for row in rows]),
            "proposed": np.array([(roi.x0, roi.y0, roi.x1, roi.y1) for roi in rois]),
        }
        engine, head = self.backbone.load(name, work / "backbone" / name.replace(" ", "-"))
        malignant, patient = self.data.label[rows] == "malignant", self.data.patient[rows]
        return measure_boxes(engine, head, [one.frame for one in one_lesion], boxes, malignant, patient)

    def _map(self, name: str, folder: Path) -> list[MappedFrame]:
        self._write_net(name, folder)
        write_card(folder, self._describe(0.0))
        rows = np.flatnonzero(self.held[name] & ~self.data.doppler)
        return map_frames(LesionFinder.load(folder), self.data, rows)

    def _write_net(self, name: str, folder: Path) -> None:
        grey = GreySegmenter(SEGMENTER, MEAN, STD)
        grey.segmenter.load_state_dict(self.nets[name].state_dict())
        write_network(grey, folder / WEIGHTS, self.schedule.size)

    def _describe(self, least_confidence: float) -> dict[str, object]:
        """Give what the network's input and output mean, and what it was trained on."""
        clinics, frames = np.unique(self.data.clinic, return_counts=True)
        return {
            "input": {"size": self.schedule.size, "mean": MEAN, "std": STD, "letterbox": LETTERBOX},
            "threshold": THRESHOLD,
            "least_confidence": least_confidence,
            "training_data": {
                "frames": {str(name): int(n) for name, n in zip(clinics, frames, strict=True)},
                "lesion_free": int((self.data.label == NORMAL).sum()),
                "patients": len(np.unique(self.data.patient)),
                "sha256": self.data.hash(),
            },
            "recipe": asdict(self.schedule),
            "parameters": sum(p.numel() for p in self.nets[EVERYTHING].parameters()),
            "versions": {"torch": torch.__version__},
        }

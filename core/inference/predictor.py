"""The Predictor: a case in, an explained estimate out."""

import hashlib
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.imaging import Frame, Roi, assess_quality, prepare_input
from core.inference.applicability import ApplicabilityRules, Gate, Reference
from core.inference.engines.choice import load_engine
from core.inference.engines.interface import Engine
from core.inference.lesion import Lesion
from core.inference.lesion_finder import get_finder
from core.inference.prediction import Case, ImageReading, Prediction, ViewEstimate
from core.inference.refits import refit_logits, span_interval
from core.inference.trust import load_bundle
from core.settings import get_text_setting
from models.bundle import MALIGNANCY, Bundle
from models.cam import compute_heatmap
from models.fusion import FusionHead

PASSES_AT_ONCE = 8


class CropOutput(NamedTuple):
    """What one crop's pass gives."""

    pooled: NDArray[np.float32]  # (n_features,), pooled features
    score_maps: NDArray[np.float32]  # (k, h, w), score map of each head
    seconds: float  # time of the pass, shared evenly among the crops of a batch


class Predictor:
    """A bundle ready to answer; nothing in it changes after loading.

    Parameters
    ----------
    bundle : Bundle
        Verified bundle.
    engine : Engine
        Its backbone.
    """

    def __init__(self, bundle: Bundle, engine: Engine) -> None:
        self.bundle = bundle
        self.engine = engine
        self._heads = dict(bundle.image_heads)
        self._weights = np.stack([head.weights for head in self._heads.values()]).astype(np.float32)
        references = {name: Reference.from_json(data) for name, data in bundle.references.items()}
        self._rules = ApplicabilityRules(Gate.from_json(bundle.gate), references)
        self._refits = bundle.refits.astype(np.float64)

    @classmethod
    def load(cls, folder: Path, *, engine: str | None = None, precision: str | None = None) -> "Predictor":
        """Read a bundle, verify its hashes and load its backbone into an engine.

        Parameters
        ----------
        folder : Path
            The bundle's folder.
        engine : {"auto", "cuda", "openvino", "torch"}, optional
            By default the setting "engine".
        precision : {"fp32", "bf16", "fp16"}, optional
            fp32 by default.

        Returns
        -------
        Predictor
            Ready to answer.

        Raises
        ------
        ModelError
            If the bundle is damaged or does not fit.
        """
        bundle = load_bundle(folder)
        name = engine or get_text_setting("engine")
        return cls(bundle, load_engine(bundle.weights_path, bundle.manifest.input, name=name, precision=precision))

    def read_image(self, frame: Frame, roi: Roi) -> ImageReading:
        """Run the network once on the lesion in the box (pixels of the frame): scores, score map and applicability."""
        return self.read_images([(frame, roi)])[0]

    def find_lesions(self, frame: Frame) -> tuple[Lesion, ...]:
        """Outline the lesions of a frame by the shipped segmenter, best first."""
        return get_finder().find(frame)

    @property
    def at_once(self) -> int:
        """How many images `read_images` is best given for the sake of throughput."""
        return PASSES_AT_ONCE * self.engine.parallel if self.engine.parallel > 1 else 1

    def read_images(self, cases: Sequence[tuple[Frame, Roi]]) -> list[ImageReading]:
        """Run the network on several lesions, in their order, side by side where the engine can."""
        crops = [self.cut(frame, roi) for frame, roi in cases]
        read = self.read_crops(crops)
        return [self.interpret(*case, crop, one) for case, crop, one in zip(cases, crops, read, strict=True)]

    def cut(self, frame: Frame, roi: Roi) -> NDArray[np.uint8]:
        """Give the network's input, uint8 (size, size); no network runs."""
        rule = self.engine.rule
        return prepare_input(frame, roi, size=rule.size, context=rule.context)

    def read_crops(self, crops: Sequence[NDArray[np.uint8]]) -> list[CropOutput]:
        """Run the network on inputs that are cut already; one thread at a time may do so."""
        started = time.perf_counter()
        read = self.engine.read(np.stack(crops), self._weights)
        seconds = (time.perf_counter() - started) / len(crops)
        return [CropOutput(pooled, maps, seconds) for pooled, maps in zip(read.pooled, read.score_maps, strict=True)]

    def interpret(self, frame: Frame, roi: Roi, crop: NDArray[np.uint8], read: CropOutput) -> ImageReading:
        """Turn what `read_crops` gave for a crop (uint8, size x size) into scores, score map and applicability.

        No network runs.
        """
        score_maps = dict(zip(self._heads, read.score_maps.astype(np.float64), strict=True))
        return ImageReading(
            refit_scores=self._refits[:, :-1] @ np.asarray(read.pooled, dtype=np.float64) + self._refits[:, -1],
            scores={name: float(score_maps[name].mean()) + head.bias for name, head in self._heads.items()},
            score_map=score_maps["ki67"],
            offset=self._heads["ki67"].bias,
            area=_input_area(roi, self.engine.rule.context),
            applicability=self._rules.assess(
                assess_quality(frame, roi), read.pooled, is_ultrasound=frame.is_ultrasound
            ),
            input_sha256=_hash_pixels(crop),
            seconds=read.seconds,
        )

    def predict(self, case: Case, readings: Sequence[ImageReading] | None = None) -> Prediction:
        """Estimate the probability of high Ki-67 and explain it; the image score is the mean over the views.

        Parameters
        ----------
        case : Case
            Views with their boxes, and known clinical values.
        readings : sequence of ImageReading, optional
            What the network read from each view before; without it the network runs.

        Returns
        -------
        Prediction
            Estimate, interval, contributions, heat maps.
        """
        started = time.perf_counter()
        readings = readings or self.read_images([(view.frame, view.roi) for view in case.views])
        fusion, rule = self.bundle.fusion_heads["m1"], self.bundle.manifest.call_rule
        head = fusion.given(case.clinical)
        scores = {name: float(np.mean([reading.scores[name] for reading in readings])) for name in self._heads}
        contributions = head.contribute(scores["ki67"], case.clinical)
        logit = head.intercept + sum(contributions.values())
        probability = float(_expit(logit))
        views = [reading.scores["ki67"] for reading in readings]
        logits = refit_logits(fusion, views, [reading.refit_scores for reading in readings], case.clinical)
        return Prediction(
            probability=probability,
            interval=span_interval(logits),
            certainty=rule.measure_certainty(probability, _expit(logits)),
            logit=logit,
            intercept=head.intercept,
            contributions=contributions,
            rule=rule,
            views=_share(head, readings, logit - contributions.get("image", 0.0)),
            imputed=tuple(term.field for term in head.terms if term.field not in case.clinical),
            node_metastasis=self._predict_nodes(scores, case.clinical),
            malignancy=float(_expit(scores[MALIGNANCY])),
            bundle=self.bundle.name,
            bundle_sha256=self.bundle.sha256,
            seconds=time.perf_counter() - started,
            between_views=self.bundle.manifest.between_views,
        )

    def _predict_nodes(self, scores: Mapping[str, float], clinical: Mapping[str, str | float]) -> float | None:
        fusion: FusionHead | None = self.bundle.fusion_heads.get("lnm")
        if fusion is None:
            return None
        head = fusion.given(clinical)
        return float(_expit(head.intercept + sum(head.contribute(scores["lnm"], clinical).values())))


def _share(head: FusionHead, readings: Sequence[ImageReading], rest: float) -> tuple[ViewEstimate, ...]:
    """Give each view its heat map, its part of the image's term, and its estimate beside the rest of the logit."""
    views = []
    for reading in readings:
        alone = head.image_coef * reading.scores["ki67"]
        views.append(
            ViewEstimate(
                reading=reading,
                heatmap=compute_heatmap(reading.score_map, head.image_coef),
                heatmap_offset=head.image_coef * reading.offset,
                contribution=alone / len(readings),
                logit=rest + alone,
                probability=float(_expit(rest + alone)),
            )
        )
    return tuple(views)


def _expit(x: float | NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(1 / (1 + np.exp(-np.asarray(x, dtype=np.float64))))


def _input_area(roi: Roi, context: float) -> tuple[float, float, float, float]:
    half = context * max(roi.width, roi.height) / 2
    cx, cy = (roi.x0 + roi.x1) / 2, (roi.y0 + roi.y1) / 2
    return (cx - half, cy - half, cx + half, cy + half)


def _hash_pixels(pixels: NDArray[np.uint8]) -> str:
    return hashlib.sha256(pixels.tobytes()).hexdigest()

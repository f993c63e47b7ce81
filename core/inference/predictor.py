"""The Predictor: a case in, an explained estimate out."""

import hashlib
import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.errors import ModelError
from core.imaging import Frame, Roi, assess_quality, prepare_input
from core.inference.applicability import Reference, assess_applicability
from core.inference.engine import MALIGNANCY, Engine, InputRule
from core.inference.engine_choice import load_engine
from core.inference.interval import INTERVAL
from core.inference.prediction import Case, ImageReading, Prediction
from core.settings import get_text_setting
from models.bundle import Bundle, BundleError, read_bundle
from models.cam import compute_heatmap
from models.fusion import FusionHead


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
        self._heads = dict(bundle.image_heads) | {MALIGNANCY: engine.malignancy}
        self._weights = np.stack([head.weights for head in self._heads.values()]).astype(np.float32)
        self._references = {name: Reference.from_json(data) for name, data in bundle.references.items()}

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
            By default half precision where the device computes in it.

        Returns
        -------
        Predictor
            Ready to answer.

        Raises
        ------
        ModelError
            If the bundle is damaged or does not fit.
        """
        try:
            bundle = read_bundle(folder)
        except BundleError as error:
            raise ModelError(str(error)) from error
        rule = InputRule.from_json(bundle.manifest["input"])
        name = engine or get_text_setting("engine")
        return cls(bundle, load_engine(bundle.weights_path, rule, name=name, precision=precision))

    def read_image(self, frame: Frame, roi: Roi) -> ImageReading:
        """Run the network once on the lesion.

        Parameters
        ----------
        frame : Frame
            B-mode area.
        roi : Roi
            Lesion box, pixels of the frame.

        Returns
        -------
        ImageReading
            Scores, score map and applicability.
        """
        started = time.perf_counter()
        rule = self.engine.rule
        pixels = prepare_input(frame, roi, size=rule.size, context=rule.context)
        features = self.engine.read(pixels[None], self._weights)
        score_maps = dict(zip(self._heads, features.score_maps[0].astype(np.float64), strict=True))
        return ImageReading(
            scores={name: float(score_maps[name].mean()) + head.bias for name, head in self._heads.items()},
            score_map=score_maps["ki67"],
            offset=self._heads["ki67"].bias,
            area=_input_area(roi, rule.context),
            applicability=assess_applicability(assess_quality(frame, roi), self._references, features.pooled[0]),
            input_sha256=_hash_pixels(pixels),
            seconds=time.perf_counter() - started,
        )

    def predict(self, case: Case, reading: ImageReading | None = None) -> Prediction:
        """Estimate the probability of high Ki-67 and explain it.

        Parameters
        ----------
        case : Case
            Frame, box and known clinical values.
        reading : ImageReading, optional
            What the network read from this frame and box before; without it the network runs.

        Returns
        -------
        Prediction
            Estimate, interval, contributions, heat map.
        """
        started = time.perf_counter()
        reading = reading or self.read_image(case.frame, case.roi)
        head, manifest = self.bundle.fusion_heads["m1"], self.bundle.manifest
        score = reading.scores["ki67"]
        contributions = head.contribute(score, case.clinical)
        logit = head.intercept + sum(contributions.values())
        probability = float(_expit(logit))
        interval = np.percentile(_expit(head.bootstrap_logits(score, case.clinical)), INTERVAL)
        threshold = float(manifest["threshold"]["value"])
        return Prediction(
            probability=probability,
            interval=(float(interval[0]), float(interval[1])),
            logit=logit,
            intercept=head.intercept,
            contributions=contributions,
            group="high" if probability >= threshold else "low",
            threshold=threshold,
            no_call=(float(manifest["no_call"]["low"]), float(manifest["no_call"]["high"])),
            heatmap=compute_heatmap(reading.score_map, head.image_coef),
            heatmap_offset=head.image_coef * reading.offset,
            reading=reading,
            imputed=tuple(term.field for term in head.terms if term.field not in case.clinical),
            node_metastasis=self._predict_nodes(reading, case.clinical),
            malignancy=float(_expit(reading.scores[MALIGNANCY])),
            bundle=self.bundle.name,
            bundle_sha256=self.bundle.sha256,
            seconds=time.perf_counter() - started,
        )

    def _predict_nodes(self, reading: ImageReading, clinical: Mapping[str, str | float]) -> float | None:
        head: FusionHead | None = self.bundle.fusion_heads.get("lnm")
        if head is None:
            return None
        return float(_expit(head.intercept + sum(head.contribute(reading.scores["lnm"], clinical).values())))


def _expit(x: float | NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(1 / (1 + np.exp(-np.asarray(x, dtype=np.float64))))


def _input_area(roi: Roi, context: float) -> tuple[float, float, float, float]:
    half = context * max(roi.width, roi.height) / 2
    cx, cy = (roi.x0 + roi.x1) / 2, (roi.y0 + roi.y1) / 2
    return (cx - half, cy - half, cx + half, cy + half)


def _hash_pixels(pixels: NDArray[np.uint8]) -> str:
    return hashlib.sha256(pixels.tobytes()).hexdigest()

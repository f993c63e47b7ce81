"""Whether an image is breast ultrasound, and like what the model was trained on, judged by the network's features."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.imaging import Finding
from core.inference.prediction import SEVERITY, Applicability, Status
from models.fusion import ImageHead


@dataclass(frozen=True)
class Gate:
    """A linear rule on the pooled features: log-odds that an image is no B-mode ultrasound."""

    head: ImageHead  # gives the log-odds
    # caution, refuse: log-odds above which an image is called unlike ultrasound, and surely none
    caution: float
    refuse: float

    def judge(self, pooled: NDArray[np.floating]) -> Status:
        """Judge one image's pooled features, (n_features,)."""
        score = float(self.head.score(np.asarray(pooled, dtype=np.float64)))
        return "refused" if score > self.refuse else "caution" if score > self.caution else "ok"

    def assess(self, pooled: NDArray[np.floating], *, is_ultrasound: bool) -> tuple[Status, str]:
        """Judge one image and say so; what its file calls ultrasound is not refused."""
        status = self.judge(pooled)
        if status == "refused" and not is_ultrasound:
            return "refused", "The image does not look like ultrasound. Upload the B-mode frame of the lesion."
        return ("ok", "") if status == "ok" else ("caution", "The image does not look like breast ultrasound.")

    def to_json(self) -> dict[str, object]:
        """Give the rule as JSON types."""
        return {"head": self.head.to_json(), "caution": self.caution, "refuse": self.refuse}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Gate":
        """Read what `to_json` gave."""
        return cls(ImageHead.from_json(data["head"]), float(data["caution"]), float(data["refuse"]))


@dataclass(frozen=True)
class Reference:
    """Training images as the network sees them: centre and spread of the pooled features."""

    # centre, spread: (n_features,), mean and standard deviation of each pooled feature
    centre: NDArray[np.float64]
    spread: NDArray[np.float64]
    median: float  # median distance of the training images
    caution: float  # distance above which an image is called unlike them

    def distance(self, pooled: NDArray[np.floating]) -> NDArray[np.float64]:
        """Give the root mean square of the standardised features, for pooled features (..., n_features)."""
        z = (np.asarray(pooled, dtype=np.float64) - self.centre) / self.spread
        return np.sqrt(np.mean(z**2, axis=-1))

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Reference":
        """Read the reference from a bundle's heads."""
        centre, spread = (np.array(data[name], dtype=np.float64) for name in ("centre", "spread"))
        return cls(centre, spread, float(data["median"]), float(data["caution"]))


@dataclass(frozen=True)
class ApplicabilityRules:
    """What a bundle stores to judge images."""

    gate: Gate  # whether an image is ultrasound; fitted with the backbone, so that no bundle's own images can open it
    # images that the bundle ("training") and the backbone ("backbone") were trained on
    references: Mapping[str, Reference]

    def assess(
        self, findings: tuple[Finding, ...], pooled: NDArray[np.floating], *, is_ultrasound: bool
    ) -> Applicability:
        """Join what the pixels say with what the network sees."""
        remarks: list[tuple[Status, str]] = [
            ("ok" if f.status == "note" else f.status, f.sentence) for f in findings if f.status != "ok"
        ]
        status, sentence = self._judge_looks(pooled, is_ultrasound=is_ultrasound)
        if status == "caution" and not any(worse == "refused" for worse, _ in remarks):
            sentence += " Rely less on the estimate."
        if status != "ok":
            remarks.append((status, sentence))
        worst: Status = max((status for status, _ in remarks), key=SEVERITY.index, default="ok")
        other = sentence if status == "refused" else ""
        return Applicability(worst, tuple(sentence for _, sentence in remarks), other)

    def _judge_looks(self, pooled: NDArray[np.floating], *, is_ultrasound: bool) -> tuple[Status, str]:
        status, sentence = self.gate.assess(pooled, is_ultrasound=is_ultrasound)
        if status != "ok":
            return status, sentence
        nearest = min(self.references.values(), key=lambda reference: reference.distance(pooled) / reference.caution)
        distance = float(nearest.distance(pooled))
        if distance > nearest.caution:
            times = f"{distance / nearest.median:.1f} times as far from their middle as the usual one"
            return "caution", f"This image is unlike those that the model was trained on ({times})."
        return "ok", ""

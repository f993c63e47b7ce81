"""Whether an image lies within what the model was trained on."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.imaging import Finding
from core.inference.prediction import Applicability, Status

SEVERITY: tuple[Status, ...] = ("ok", "caution", "refused")


@dataclass(frozen=True)
class Reference:
    """The training images as the network sees them: centre and spread of the pooled features, and limits.

    Parameters
    ----------
    centre, spread : ndarray of float64, (2048,)
        Mean and standard deviation of each pooled feature.
    median : float
        Median distance of the training images.
    caution, refuse : float
        Distances above which an image is called unlike, and unfit.
    """

    centre: NDArray[np.float64]
    spread: NDArray[np.float64]
    median: float
    caution: float
    refuse: float

    def distance(self, pooled: NDArray[np.floating]) -> NDArray[np.float64]:
        """Give the root mean square of the standardised features, for pooled features (..., 2048)."""
        z = (np.asarray(pooled, dtype=np.float64) - self.centre) / self.spread
        return np.sqrt(np.mean(z**2, axis=-1))

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Reference":
        """Read the reference from a bundle's heads."""
        centre, spread = (np.array(data[name], dtype=np.float64) for name in ("centre", "spread"))
        return cls(centre, spread, float(data["median"]), float(data["caution"]), float(data["refuse"]))


def assess_applicability(
    findings: tuple[Finding, ...], references: Mapping[str, Reference], pooled: NDArray[np.floating]
) -> Applicability:
    """Join what the pixels say with how far the image lies from the training images.

    Parameters
    ----------
    findings : tuple of Finding
        Remarks on the frame and its box.
    references : mapping of str to Reference
        Images that the bundle ("training") and, where given, the backbone were trained on. Far from the bundle's own
        calls for caution, far from all of them is refused.
    pooled : ndarray of float, (2048,)
        Pooled features of the image.

    Returns
    -------
    Applicability
        The worst status, and a sentence for each remark; a note leaves the status ok.
    """
    remarks: list[tuple[Status, str]] = [
        ("ok" if f.status == "note" else f.status, f.sentence) for f in findings if f.status != "ok"
    ]
    own = references["training"]
    usual = f"(distance {float(own.distance(pooled)) / own.median:.1f} times the usual)"
    if all(reference.distance(pooled) > reference.refuse for reference in references.values()):
        remarks.append(("refused", f"To the network this looks like no lesion that it was trained on {usual}."))
    elif own.distance(pooled) > own.caution:
        advice = "" if any(status == "refused" for status, _ in remarks) else ": rely less on the estimate"
        sentence = f"This image differs from those that the model was trained on {usual}{advice}."
        remarks.append(("caution", sentence))
    worst: Status = max((status for status, _ in remarks), key=SEVERITY.index, default="ok")
    return Applicability(worst, tuple(sentence for _, sentence in remarks))

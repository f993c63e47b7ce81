"""The lesion finder: the segmenter on a whole frame; a frame in, outlined lesions out."""

from collections.abc import Callable, Sequence
from functools import cache, partial
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from core.errors import ModelError
from core.imaging import Frame, Roi, default_roi
from core.inference.lesion import Lesion, LesionRule, outline_lesion_at, outline_lesions
from models.letterbox import Letterbox
from models.sealed import BundleError
from models.segmenter_card import WEIGHTS, read_card

LEAST_CONTRAST = 16
SEGMENTER = Path(__file__).parents[2] / "models" / "lesion-segmenter"
BoxSource = Literal["drawn", "proposed", "default"]
Network = Callable[[NDArray[np.uint8]], NDArray[np.float32]]


class LesionFinder:
    """The segmenter on the CPU; read-only after loading.

    Parameters
    ----------
    network : callable
        Squares, uint8 (n, size, size), to the probability of a lesion, float32 (n, size, size).
    size : int
        Side of the squares, pixels.
    rule : LesionRule
        What counts as a lesion.
    """

    def __init__(self, network: Network, *, size: int, rule: LesionRule) -> None:
        self._network, self._size, self._rule = network, size, rule

    @classmethod
    def load(cls, folder: Path = SEGMENTER, *, engine: str | None = None) -> "LesionFinder":
        """Read a segmenter and verify its hash."""
        try:
            card = read_card(folder)
            rule = LesionRule(float(card["threshold"]), float(card["least_confidence"]))
            size = int(card["input"]["size"])
            load = _LOADERS[engine or ("openvino" if find_spec("openvino") else "torch")]
            return cls(load(folder / WEIGHTS, size), size=size, rule=rule)
        except BundleError as error:
            raise ModelError(str(error)) from error
        except KeyError as error:
            raise ModelError(f"The lesion segmenter's card lacks {error}: fetch or train it again.") from None

    def find(self, frame: Frame, at: tuple[float, float] | None = None) -> tuple[Lesion, ...]:
        """Outline the lesions of a frame, or the one at a place that the rule alone would not take for one."""
        if np.ptp(np.percentile(frame.pixels, (5, 95))) < LEAST_CONTRAST:
            return ()
        probability = self.predict_map(frame.pixels)
        outline = outline_lesions if at is None else partial(outline_lesion_at, at=at)
        return outline(probability, width=frame.width, height=frame.height, rule=self._rule, mm_per_px=frame.mm_per_px)

    def predict_map(self, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Give the probability of a lesion: the mean over the frame and its mirror image; float32 (h, w)."""
        letterbox = Letterbox(pixels.shape[1], pixels.shape[0], self._size)
        square = letterbox.apply(pixels)
        prob = self._network(np.stack([square, square[:, ::-1]]))
        return letterbox.cut((prob[0] + prob[1, :, ::-1]) / 2)


@cache
def get_finder() -> LesionFinder:
    """Load the shipped segmenter, once a process."""
    return LesionFinder.load()


def propose_box(frame: Frame, find: Callable[[Frame], Sequence[Lesion]]) -> tuple[Roi, BoxSource]:
    """Give the box of the best lesion in whole pixels, or a default one where none is found, and which it is."""
    lesions = find(frame)
    return (lesions[0].box.rounded(), "proposed") if lesions else (default_roi(frame).rounded(), "default")


def _load_openvino(weights: Path, size: int) -> Network:
    from core.inference.engines.segmenter_openvino import OpenVinoSegmenter  # noqa: PLC0415 - brings OpenVINO

    return OpenVinoSegmenter(weights, size)


def _load_torch(weights: Path, _size: int) -> Network:
    from core.inference.engines.segmenter_torch import TorchSegmenter  # noqa: PLC0415 - brings torch

    return TorchSegmenter(weights)


_LOADERS: dict[str, Callable[[Path, int], Network]] = {"openvino": _load_openvino, "torch": _load_torch}

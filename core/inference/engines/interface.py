"""What every engine is: the backbone on one device; a batch of input images in, last feature maps out."""

from abc import ABC, abstractmethod
from pathlib import Path
from typing import ClassVar, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.errors import ModelError
from core.inference.engines.processor import computes_in_bf16
from models.cam import compute_score_map
from models.input_rule import InputRule
from models.sealed import hash_file

Precision = Literal["fp32", "bf16", "fp16"]
FULL: Precision = "fp32"  # in bf16 an estimate moves by up to .04


class EngineOutput(NamedTuple):
    """What linear heads need of the last feature maps A."""

    pooled: NDArray[np.float32]  # (n, n_features), mean_ij A_ij
    score_maps: NDArray[np.float32]  # (n, k, h, w), w_k . A_ij of each head


class Engine(ABC):
    """The backbone on one device, read-only after loading; one thread at a time may run it.

    Parameters
    ----------
    weights : Path
        The network, an ONNX file.
    rule : InputRule
        Normalisation and size of the input.
    precision : {"fp32", "bf16", "fp16"}
        What the network computes in; maps always leave in fp32.

    Attributes
    ----------
    n_features : int
        Channels of the last maps.
    cases_at_once : int
        How many waiting cases one pass takes; more than one only where that keeps none of them waiting longer.
    images_at_once : int
        How many of a cohort's images a pass takes where cases may come in between: each waits for one such pass.
    """

    device: ClassVar[str]
    n_features: int
    cases_at_once: ClassVar[int] = 1
    images_at_once: ClassVar[int] = 1

    def __init__(self, weights: Path, rule: InputRule, precision: Precision) -> None:
        self.rule = rule
        self.precision = precision
        self.sha256 = hash_file(weights)

    @property
    def parallel(self) -> int:
        """How many images run side by side; the least batch that reaches the device's throughput."""
        return 1

    @property
    def description(self) -> str:
        """Device and precision in words."""
        return f"{self.device}, {self.precision}"

    def extract_maps(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Run the network; float32 (n, n_features, size / 32, size / 32)."""
        self._check(images)
        return self._run(images)

    def read(self, images: NDArray[np.uint8], heads: NDArray[np.float32]) -> EngineOutput:
        """Run the network and reduce its maps to what linear heads need."""
        maps = self.extract_maps(images)
        return EngineOutput(maps.mean(axis=(2, 3)), compute_score_map(maps, heads))

    def warm_up(self) -> None:
        """Run the network once, so that the first caller does not wait for what is done at a first run."""
        self._run(np.zeros((1, self.rule.size, self.rule.size), dtype=np.uint8))

    def _check(self, images: NDArray[np.uint8]) -> None:
        size = self.rule.size
        if images.dtype != np.uint8 or images.shape[1:] != (size, size):
            raise ModelError(
                f"The network takes 8-bit images of {size} x {size} pixels, not {images.dtype} of {images.shape[1:]}."
            )

    @abstractmethod
    def _run(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Run the network on checked images."""


def choose_cpu_precision() -> Precision:
    """Take bf16 where the processor computes in it, else fp32."""
    return "bf16" if computes_in_bf16() else "fp32"


def misfit(weights: Path) -> ModelError:
    """Say that a file of weights is not the network's."""
    return ModelError(f"{weights.name} does not hold a network that this program knows: fetch or train it again.")

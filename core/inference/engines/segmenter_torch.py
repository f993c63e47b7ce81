"""The segmenter in torch on the CPU, in bf16 where the processor computes in it."""

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from core.inference.engines.processor import computes_in_bf16
from models.exchange import read_segmenter


class TorchSegmenter:
    """A network that gives each pixel's probability of a lesion.

    Parameters
    ----------
    weights : Path
        The network, an ONNX file.
    """

    def __init__(self, weights: Path) -> None:
        self._net = read_segmenter(weights).to(memory_format=torch.channels_last)

    def __call__(self, squares: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Give probabilities, float32 (n, size, size), of squares, uint8 (n, size, size)."""
        images = torch.from_numpy(np.ascontiguousarray(squares))
        with torch.inference_mode(), torch.autocast("cpu", dtype=torch.bfloat16, enabled=computes_in_bf16()):
            return self._net(images).float().numpy()

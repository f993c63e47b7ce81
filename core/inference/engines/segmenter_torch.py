"""The segmenter in torch on the CPU, in bf16 where the processor computes in it."""

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from core.inference.engines.processor import computes_in_bf16
from models.segmenter import read_segmenter


class TorchSegmenter:
    """A network that gives each pixel's probability of a lesion.

    Parameters
    ----------
    folder : Path
        The segmenter's folder.
    mean, std : float
        Normalisation of grey levels of 0 to 1.
    """

    def __init__(self, folder: Path, mean: float, std: float) -> None:
        net, _ = read_segmenter(folder)
        self._net = net.to(memory_format=torch.channels_last)
        self._mean, self._std = mean, std

    def __call__(self, squares: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Give probabilities, float32 (n, size, size), of squares, uint8 (n, size, size)."""
        with torch.inference_mode():
            x = torch.from_numpy(np.ascontiguousarray(squares))[:, None].float() / 255
            x = ((x - self._mean) / self._std).contiguous(memory_format=torch.channels_last)
            with torch.autocast("cpu", dtype=torch.bfloat16, enabled=computes_in_bf16()):
                return self._net(x).float().sigmoid()[:, 0].numpy()

"""The segmenter in OpenVINO on the CPU."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.inference.engines.interface import choose_cpu_precision
from core.inference.engines.openvino import PRECISIONS
from core.inference.engines.openvino_network import read_sized_network
from core.inference.engines.openvino_offline import openvino

FRAMES = 2  # the frame and its mirror image


class OpenVinoSegmenter:
    """A network that gives each pixel's probability of a lesion.

    Parameters
    ----------
    weights : Path
        The network, an ONNX file.
    size : int
        Side of its square input, pixels.

    Raises
    ------
    ModelError
        If the file holds no network.
    """

    def __init__(self, weights: Path, size: int) -> None:
        settings = {
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_PRECISION_HINT": PRECISIONS[choose_cpu_precision()],
        }
        model = read_sized_network(weights, FRAMES, size)
        self._request = openvino.Core().compile_model(model, "CPU", settings).create_infer_request()

    def __call__(self, squares: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Give probabilities, float32 (2, size, size), of two squares, uint8 (2, size, size)."""
        self._request.infer({0: np.ascontiguousarray(squares)}, share_inputs=True)
        probability: NDArray[np.float32] = self._request.get_output_tensor(0).data.copy()
        return probability

"""The segmenter in OpenVINO on the CPU, its graph built from the segmenter's own weights."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file

from core.inference.engines.interface import choose_cpu_precision
from core.inference.engines.openvino import PRECISIONS
from core.inference.engines.openvino_offline import openvino
from models.segmenter_card import WEIGHTS, misfit

op = openvino.opset13

BN_EPSILON = 1e-5
FRAMES = 2  # the frame and its mirror image
Tensors = Mapping[str, NDArray[Any]]


class OpenVinoSegmenter:
    """A network that gives each pixel's probability of a lesion.

    Parameters
    ----------
    folder : Path
        The segmenter's folder.
    size : int
        Side of its square input, pixels.
    mean, std : float
        Normalisation of grey levels of 0 to 1.

    Raises
    ------
    BundleError
        If the weights are another network's.
    """

    def __init__(self, folder: Path, size: int, mean: float, std: float) -> None:
        settings = {
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_PRECISION_HINT": PRECISIONS[choose_cpu_precision()],
        }
        try:
            graph = _build_graph(load_file(folder / WEIGHTS), size, mean, std)
        except (KeyError, RuntimeError, SafetensorError):
            raise misfit() from None
        self._request = openvino.Core().compile_model(graph, "CPU", settings).create_infer_request()

    def __call__(self, squares: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Give probabilities, float32 (2, size, size), of two squares, uint8 (2, size, size)."""
        self._request.infer({0: np.ascontiguousarray(squares)}, share_inputs=True)
        probability: NDArray[np.float32] = self._request.get_output_tensor(0).data[:, 0].copy()
        return probability


def _build_graph(tensors: Tensors, size: int, mean: float, std: float) -> Any:
    """Build the graph of `models.segmenter.Segmenter`, from grey levels to probabilities."""
    squares = op.parameter([FRAMES, size, size], np.uint8, name="squares")
    grey = op.unsqueeze(op.convert(squares, np.float32), op.constant(np.int64(1)))
    x = op.multiply(op.subtract(grey, op.constant(np.float32(255 * mean))), op.constant(np.float32(1 / (255 * std))))
    maps = [_add_block(tensors, op.relu(_add_conv(tensors, x, "stem", "stem_bn", stride=2)), "first")]
    levels = sum(name.startswith("down.") and name.endswith(".project.weight") for name in tensors)
    for i in range(levels):
        maps.append(_add_block(tensors, maps[-1], f"down.{i}", stride=2))
    y = _add_block(tensors, maps.pop(), "bottom")
    for i in range(levels):
        skip = maps.pop()
        y = _add_block(tensors, op.concat([skip, _enlarge(y)], 1), f"up.{i}")
    weight, bias = (tensors[f"head.{part}"].astype(np.float32) for part in ("weight", "bias"))
    logits = op.convolution(y, op.constant(weight), [1, 1], [0, 0], [0, 0], [1, 1])
    logits = _enlarge(op.add(logits, op.constant(bias[None, :, None, None])))
    return openvino.Model([op.result(op.sigmoid(logits))], [squares], "segmenter")


def _add_block(tensors: Tensors, x: Any, name: str, *, stride: int = 1) -> Any:
    y = op.relu(_add_conv(tensors, x, f"{name}.conv1", f"{name}.bn1", stride=stride))
    y = _add_conv(tensors, y, f"{name}.conv2", f"{name}.bn2")
    return op.relu(op.add(y, _add_conv(tensors, x, f"{name}.project", f"{name}.bn3", stride=stride)))


def _add_conv(tensors: Tensors, x: Any, conv: str, norm: str, *, stride: int = 1) -> Any:
    """Add a convolution, padded to keep the size, with the batch norm after it folded in: y = W x + b."""
    weight = tensors[f"{conv}.weight"].astype(np.float32)
    parts = ("weight", "bias", "running_mean", "running_var")
    gain, shift, mean, variance = (tensors[f"{norm}.{part}"].astype(np.float32) for part in parts)
    scale = gain / np.sqrt(variance + np.float32(BN_EPSILON))
    pad = [weight.shape[-1] // 2] * 2
    y = op.convolution(x, op.constant(weight * scale[:, None, None, None]), [stride] * 2, pad, pad, [1, 1])
    return op.add(y, op.constant((shift - mean * scale)[None, :, None, None]))


def _enlarge(x: Any) -> Any:
    """Double height and width, bilinear, pixel centres half a pixel in."""
    scales, axes = op.constant(np.array([2, 2], np.float32)), op.constant(np.array([2, 3], np.int64))
    return op.interpolate(x, scales, "linear_onnx", "scales", coordinate_transformation_mode="half_pixel", axes=axes)

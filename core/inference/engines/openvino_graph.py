"""The backbone as an OpenVINO graph, built from the bundle's own weights: no export, no second file to go stale."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file

from core.inference.engines.interface import InputRule, misfit
from core.inference.engines.openvino_offline import openvino

op = openvino.opset13

BLOCKS = (3, 4, 6, 3)
BN_EPSILON = 1e-5
Tensors = Mapping[str, NDArray[Any]]


def build_graph(weights: Path, rule: InputRule) -> Any:
    """Build ResNet-50 without its classifier, batch norms folded in fp32 and the normalisation in front.

    Parameters
    ----------
    weights : Path
        Backbone weights, safetensors.
    rule : InputRule
        Normalisation and size of the input.

    Returns
    -------
    openvino.Model
        uint8 (1, size, size) to maps, float32 (1, 2048, size / 32, size / 32).

    Raises
    ------
    ModelError
        If a tensor is missing or does not fit.
    """
    try:
        tensors = load_file(weights)
        images = op.parameter([1, rule.size, rule.size], np.uint8, name="images")
        return openvino.Model([op.result(_add_network(tensors, _normalise(images, rule)))], [images], "backbone")
    except (KeyError, OSError, RuntimeError, SafetensorError, ValueError):
        raise misfit(weights) from None


def _normalise(images: Any, rule: InputRule) -> Any:
    grey = op.unsqueeze(op.convert(images, np.float32), op.constant(np.int64(1)))
    centred = op.subtract(grey, op.constant(np.float32(255 * rule.mean)))
    return op.multiply(centred, op.constant(np.float32(1 / (255 * rule.std))))


def _add_network(tensors: Tensors, x: Any) -> Any:
    x = op.relu(add_conv(tensors, x, "conv1", "bn1", stride=2))
    x = op.max_pool(x, [2, 2], [1, 1], [1, 1], [1, 1], [3, 3]).output(0)
    for layer, n_blocks in enumerate(BLOCKS, start=1):
        for block in range(n_blocks):
            stride = 2 if layer > 1 and block == 0 else 1
            x = _add_block(tensors, x, f"layer{layer}.{block}", stride=stride)
    return x


def _add_block(tensors: Tensors, x: Any, name: str, *, stride: int) -> Any:
    y = op.relu(add_conv(tensors, x, f"{name}.conv1", f"{name}.bn1"))
    y = op.relu(add_conv(tensors, y, f"{name}.conv2", f"{name}.bn2", stride=stride))
    y = add_conv(tensors, y, f"{name}.conv3", f"{name}.bn3")
    if f"{name}.downsample.0.weight" in tensors:
        x = add_conv(tensors, x, f"{name}.downsample.0", f"{name}.downsample.1", stride=stride)
    return op.relu(op.add(y, x))


def add_conv(tensors: Tensors, x: Any, conv: str, norm: str, *, stride: int = 1) -> Any:
    """Add a convolution, padded to keep the size, with the batch norm after it folded in: y = W x + b.

    Parameters
    ----------
    tensors : mapping of str to ndarray
        Weights as torch names them.
    x : node
        Maps (n, channels, h, w).
    conv, norm : str
        Names of the convolution and of the batch norm.
    stride : int
        Of the convolution.

    Returns
    -------
    node
        Maps (n, channels, h / stride, w / stride).
    """
    weight = tensors[f"{conv}.weight"].astype(np.float32)
    parts = ("weight", "bias", "running_mean", "running_var")
    gain, shift, mean, variance = (tensors[f"{norm}.{part}"].astype(np.float32) for part in parts)
    scale = gain / np.sqrt(variance + np.float32(BN_EPSILON))
    pad = [weight.shape[-1] // 2] * 2
    y = op.convolution(x, op.constant(weight * scale[:, None, None, None]), [stride] * 2, pad, pad, [1, 1])
    return op.add(y, op.constant((shift - mean * scale)[None, :, None, None]))

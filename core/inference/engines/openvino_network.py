"""A network's file as OpenVINO reads it, refused where it would take more memory than any of ours before it runs."""

import math
from pathlib import Path
from typing import Any

from core.inference.engines.interface import misfit
from core.inference.engines.openvino_offline import openvino

SPARE = 1 << 24
A_PIXEL, ALL_A_PIXEL = 512, 16_384  # ours: 25 values of the largest tensor and 1,060 of all for each pixel of the input


def read_sized_network(weights: Path, count: int, size: int) -> Any:
    """Read a network for so many images a pass, uint8 (count, size, size).

    A stranger's file may hold a small graph whose constants fill the memory as soon as it is compiled.
    """
    try:
        model = openvino.Core().read_model(weights)
        model.reshape([count, size, size])
        values = [_count_values(port.get_partial_shape()) for op in model.get_ops() for port in op.outputs()]
    except RuntimeError:
        raise misfit(weights) from None
    pixels = count * size * size
    if max(values) > SPARE + A_PIXEL * pixels or sum(values) > SPARE + ALL_A_PIXEL * pixels:
        raise misfit(weights)
    return model


def _count_values(shape: Any) -> float:
    """Count the values of a tensor; one whose size is only known when it runs has any number."""
    return float(math.prod(shape.to_shape())) if shape.is_static else math.inf

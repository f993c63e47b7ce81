"""In which precision networks are trained."""

from typing import Any

import torch
from torch import Tensor, nn

from core.inference.engines.processor import computes_in_bf16


def train_in_bf16(device: torch.device) -> torch.autocast:
    """Give the context in which a network trains: bf16 where the device computes in it, else fp32."""
    has_bf16 = torch.cuda.is_bf16_supported() if device.type == "cuda" else computes_in_bf16()
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=has_bf16)


def run_depthwise_in_fp32(net: nn.Module) -> None:
    """Keep depthwise convolutions out of bf16: on a CPU their gradients take ten times as long in it."""
    for conv in (m for m in net.modules() if isinstance(m, nn.Conv2d) and m.groups > 1):
        conv.forward = _leave_autocast(conv.forward)  # type: ignore[method-assign]


def _leave_autocast(forward: Any) -> Any:
    def run(x: Tensor) -> Tensor:
        with torch.autocast(x.device.type, enabled=False):
            return forward(x.float())

    return run

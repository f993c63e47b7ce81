"""In which precision networks are trained."""

import torch

from core.inference.engines.processor import computes_in_bf16


def train_in_bf16(device: torch.device) -> torch.autocast:
    """Give the context in which a network trains: bf16 where the device computes in it, else fp32.

    Parameters
    ----------
    device : torch.device
        Where the network runs. A processor without bf16 emulates it, which takes several times as long as fp32.

    Returns
    -------
    torch.autocast
        Context manager.
    """
    has_bf16 = torch.cuda.is_bf16_supported() if device.type == "cuda" else computes_in_bf16()
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=has_bf16)

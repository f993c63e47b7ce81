"""The engine: torch on a GPU or on the CPU; a batch of input images in, last feature maps out."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file

from core.errors import ModelError
from models.bundle import hash_file
from models.fusion import ImageHead
from models.resnet import N_FEATURES, Backbone

MALIGNANCY = "malignancy"


@dataclass(frozen=True)
class InputRule:
    """How a lesion becomes the network's input.

    Parameters
    ----------
    size : int
        Side of the square input, pixels.
    context : float
        Side of the crop over the longer side of the lesion box.
    mean, std : float
        Normalisation of grey levels of 0 to 1.
    """

    size: int
    context: float
    mean: float
    std: float

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "InputRule":
        """Read the rule from a manifest."""
        return cls(int(data["size"]), float(data["context"]), float(data["mean"]), float(data["std"]))


class Engine:
    """The backbone on one device, read-only after loading.

    Parameters
    ----------
    weights : Path
        Backbone weights, safetensors.
    rule : InputRule
        Normalisation and size of the input.
    device : str, optional
        "cuda" or "cpu"; a GPU is taken if there is one.
    precision : {"fp32", "bf16"}, optional
        bf16 is taken where the device computes in it.
    """

    def __init__(
        self, weights: Path, rule: InputRule, *, device: str | None = None, precision: str | None = None
    ) -> None:
        self.rule = rule
        self.device = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
        self.precision = precision or ("bf16" if _computes_in_bf16(self.device) else "fp32")
        self.n_features = N_FEATURES
        self.sha256 = hash_file(weights)
        backbone, self.malignancy = read_backbone(weights)
        self._net = backbone.eval().to(self.device).to(memory_format=torch.channels_last)

    @property
    def description(self) -> str:
        """Device and precision in words."""
        name = torch.cuda.get_device_name(self.device) if self.device.type == "cuda" else "CPU"
        return f"{name}, {self.precision}"

    def extract_maps(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Run the network.

        Parameters
        ----------
        images : ndarray of uint8, (n, size, size)
            Grey lesion crops.

        Returns
        -------
        ndarray of float32, (n, 2048, size / 32, size / 32)
            Last feature maps A.

        Raises
        ------
        ModelError
            If the shape or type of the images is not what the network was trained on.
        """
        size = self.rule.size
        if images.dtype != np.uint8 or images.shape[1:] != (size, size):
            raise ModelError(
                f"The network takes 8-bit images of {size} x {size} pixels, not {images.dtype} of {images.shape[1:]}."
            )
        with torch.inference_mode():
            x = torch.from_numpy(np.array(images)).to(self.device)[:, None].float() / 255
            x = ((x - self.rule.mean) / self.rule.std).contiguous(memory_format=torch.channels_last)
            with torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=self.precision == "bf16"):
                maps = self._net.extract_pyramid(x)[-1]
            return maps.float().cpu().numpy()


def read_backbone(weights: Path) -> tuple[Backbone, ImageHead]:
    """Read the backbone and its malignancy head.

    Parameters
    ----------
    weights : Path
        safetensors file of fp16 tensors; beside the backbone's "malignancy.weight" (1, 2048), "malignancy.bias" (1,).

    Returns
    -------
    tuple of Backbone and ImageHead
        In fp32.

    Raises
    ------
    ModelError
        If a tensor is missing or does not fit.
    """
    tensors = {
        name: tensor.float() if tensor.is_floating_point() else tensor for name, tensor in load_file(weights).items()
    }
    backbone = Backbone()
    try:
        head = ImageHead(
            tensors.pop(f"{MALIGNANCY}.weight")[0].double().numpy(), float(tensors.pop(f"{MALIGNANCY}.bias"))
        )
        backbone.load_state_dict(tensors)
    except (KeyError, RuntimeError):
        raise ModelError(
            f"{weights.name} does not hold a ResNet-50 with one grey channel: fetch or train it anew."
        ) from None
    return backbone, head


def _computes_in_bf16(device: torch.device) -> bool:
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported()
    return "avx512_bf16" in _cpu_flags() or "amx_bf16" in _cpu_flags()


def _cpu_flags() -> set[str]:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="ascii", errors="ignore").splitlines()
    except OSError:
        return set()
    return set(next((line for line in lines if line.startswith("flags")), "").split())

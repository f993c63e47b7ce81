"""torch as the engine: any CPU or GPU, fp32 as in training; bf16 and fp16 with the batch norms folded."""

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.fx.experimental.optimization import fuse

from core.errors import ModelError
from core.inference.engines.interface import Engine, Precision
from models.exchange import GreyNetwork, read_network
from models.input_rule import InputRule
from models.network import Backbone
from models.sealed import BundleError

DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


class TorchEngine(Engine):
    """The backbone in torch, channels last, on "cuda" or "cpu"; a GPU is taken if there is one."""

    device = "torch on the CPU"

    def __init__(
        self, weights: Path, rule: InputRule, *, precision: Precision = "fp32", device: str | None = None
    ) -> None:
        super().__init__(weights, rule, precision)
        self._device = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
        net = _read(weights)
        self.n_features = net.backbone.n_features
        self._dtype = DTYPES[precision]
        maps = _Maps(net.backbone).eval()
        folded = maps if precision == "fp32" else fuse(maps)
        self._net = folded.to(self._device, self._dtype).to(memory_format=torch.channels_last)
        self._normalise = net.normalise

    def _run(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        with torch.inference_mode():
            x = torch.from_numpy(np.array(images)).to(self._device)
            return self._forward(x).float().contiguous().cpu().numpy()

    def _forward(self, images: Tensor) -> Tensor:
        """Normalise images (n, size, size) in uint8 and run the network: maps (n, n_features, h, w)."""
        x = self._normalise(images).to(self._dtype)
        return self._net(x.contiguous(memory_format=torch.channels_last))


class _Maps(nn.Module):
    """The backbone's last maps alone."""

    def __init__(self, backbone: Backbone) -> None:
        super().__init__()
        self.backbone = backbone

    def forward(self, x: Tensor) -> Tensor:
        return self.backbone.extract_pyramid(x)[-1]


def _read(weights: Path) -> GreyNetwork:
    try:
        return read_network(weights)
    except BundleError as error:
        raise ModelError(str(error)) from None

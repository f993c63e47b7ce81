"""torch as the engine: any CPU or GPU, fp32 as in training; bf16 and fp16 with the batch norms folded."""

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval
from torchvision.models.resnet import Bottleneck

from core.inference.engines.interface import MALIGNANCY, Engine, InputRule, Precision, misfit
from models.resnet import Backbone

DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


class TorchEngine(Engine):
    """The backbone in torch, channels last.

    Parameters
    ----------
    weights : Path
        Backbone weights, safetensors.
    rule : InputRule
        Normalisation and size of the input.
    precision : {"fp32", "bf16", "fp16"}, optional
        fp32 leaves the network as it was trained.
    device : str, optional
        "cuda" or "cpu"; a GPU is taken if there is one.
    """

    device = "torch on the CPU"

    def __init__(
        self, weights: Path, rule: InputRule, *, precision: Precision = "fp32", device: str | None = None
    ) -> None:
        super().__init__(weights, rule, precision)
        self._device = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
        net = read_backbone(weights).eval()
        if precision != "fp32":
            fold_batch_norms(net)
        self._dtype = DTYPES[precision]
        self._net = net.to(self._device, self._dtype).to(memory_format=torch.channels_last)

    def _run(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        with torch.inference_mode():
            x = torch.from_numpy(np.array(images)).to(self._device)
            return self._forward(x).float().contiguous().cpu().numpy()

    def _forward(self, images: Tensor) -> Tensor:
        """Normalise images (n, size, size) in uint8 and run the network: maps (n, 2048, h, w)."""
        x = (images[:, None].float() / 255 - self.rule.mean) / self.rule.std
        return self._net.extract_pyramid(x.to(self._dtype).contiguous(memory_format=torch.channels_last))[-1]


def read_backbone(weights: Path) -> Backbone:
    """Read the backbone.

    Parameters
    ----------
    weights : Path
        safetensors file of fp16 tensors.

    Returns
    -------
    Backbone
        In fp32.

    Raises
    ------
    ModelError
        If a tensor is missing or does not fit.
    """
    tensors = {
        name: tensor.float() if tensor.is_floating_point() else tensor
        for name, tensor in load_file(weights).items()
        if not name.startswith(MALIGNANCY)
    }
    backbone = Backbone()
    try:
        backbone.load_state_dict(tensors)
    except RuntimeError:
        raise misfit(weights) from None
    return backbone


def fold_batch_norms(net: Backbone) -> None:
    """Fold each batch norm into the convolution before it, in place; the network must be in eval mode."""
    net.conv1, net.bn1 = _fold(net.conv1, net.bn1)
    for block in (m for m in net.modules() if isinstance(m, Bottleneck)):
        block.conv1, block.bn1 = _fold(block.conv1, block.bn1)
        block.conv2, block.bn2 = _fold(block.conv2, block.bn2)
        block.conv3, block.bn3 = _fold(block.conv3, block.bn3)
        if block.downsample is not None:
            block.downsample[0], block.downsample[1] = _fold(block.downsample[0], block.downsample[1])


def _fold(conv: nn.Conv2d, norm: nn.BatchNorm2d) -> tuple[nn.Conv2d, nn.Identity]:
    return fuse_conv_bn_eval(conv, norm), nn.Identity()

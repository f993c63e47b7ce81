"""The backbone's folder: the network (ONNX, fp16), and backbone.json with its head, rules and figures."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from core.errors import ModelError
from core.training.backbone.imagenet import MEAN, STD
from core.training.backbone.pretrain import CONTEXT, PretrainNet
from models.bundle import WEIGHTS
from models.exchange import GreyNetwork, write_network
from models.fusion import ImageHead
from models.sealed import BundleError, Sealed

BACKBONE = Sealed("backbone", "backbone.json", 2)


def write_weights(net: PretrainNet, architecture: str, folder: Path, size: int) -> Path:
    """Write the network without its heads, for inputs of `size` pixels; give the file's path."""
    grey = GreyNetwork(architecture, MEAN, STD)
    grey.backbone.load_state_dict(net.backbone.state_dict())
    write_network(grey, folder / WEIGHTS, size)
    return folder / WEIGHTS


def take_head(net: PretrainNet) -> ImageHead:
    """Give the malignancy head, float64."""
    weights = net.malignant.weight.detach().double().numpy()[0]
    return ImageHead(weights, float(net.malignant.bias.detach()))


def read_backbone_card(folder: Path) -> dict[str, Any]:
    """Read backbone.json, and verify it and every file beside it."""
    try:
        return BACKBONE.read(folder)[0]
    except BundleError as error:
        raise ModelError(str(error)) from None


def write_backbone_card(folder: Path, about: Mapping[str, object], size: int, words: str) -> None:
    """Write backbone.json for the weights in the folder, and CARD.md; `about` is all but hash, input and versions."""
    card = {
        "input": {"size": size, "context": CONTEXT, "mean": MEAN, "std": STD},
        "versions": {"torch": torch.__version__},
        **about,
    }
    BACKBONE.write(folder, card, [WEIGHTS], words)


def make_reference(pooled: NDArray[np.float64], limit: float = 1.0) -> dict[str, object]:
    """Describe training images for applicability: features further away than 99 % of them are unusual."""
    centre, spread = pooled.mean(0), np.maximum(pooled.std(0), 1e-6)
    distance = np.sqrt(np.mean(((pooled - centre) / spread) ** 2, axis=1))
    median, caution = np.quantile(distance, [0.5, 0.99])
    return {
        "centre": centre.round(6).tolist(),
        "spread": spread.round(6).tolist(),
        "median": float(median),
        "caution": limit * float(caution),
    }

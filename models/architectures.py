"""The backbones by name: a further network is its module and a line here."""

from collections.abc import Callable
from functools import partial

from models.efficientnet import LITE0, LITE2, EfficientNetLite
from models.network import Backbone
from models.resnet import ResNet50

ARCHITECTURES: dict[str, Callable[[], Backbone]] = {
    "resnet50": ResNet50,
    "efficientnet-lite0": partial(EfficientNetLite, LITE0),
    "efficientnet-lite2": partial(EfficientNetLite, LITE2),
}


def make_backbone(architecture: str) -> Backbone:
    """Make a backbone with random weights."""
    if architecture not in ARCHITECTURES:
        raise ValueError(f"The architecture '{architecture}' is not known: choose {', '.join(ARCHITECTURES)}.")
    return ARCHITECTURES[architecture]()

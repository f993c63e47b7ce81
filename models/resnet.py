"""The backbone: torchvision's ResNet-50 on one grey channel, giving feature maps and their mean in one pass."""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torchvision.models import ResNet50_Weights, resnet50

N_FEATURES = 2048
STRIDE = 32


class Features(NamedTuple):
    """What the backbone reads from a batch of images.

    Parameters
    ----------
    maps : Tensor
        Last feature maps A, float (n, 2048, h, w).
    pooled : Tensor
        Their spatial mean, float (n, 2048).
    """

    maps: Tensor
    pooled: Tensor


class Backbone(nn.Module):
    """ResNet-50 without its classifier.

    Parameters
    ----------
    imagenet : bool
        Start from torchvision's ImageNet weights, which it fetches; the first convolution is summed over colours.
    """

    def __init__(self, *, imagenet: bool = False) -> None:
        super().__init__()
        net = resnet50(weights=ResNet50_Weights.IMAGENET1K_V2 if imagenet else None, zero_init_residual=not imagenet)
        rgb = net.conv1.weight
        self.conv1 = nn.Conv2d(1, 64, kernel_size=7, stride=2, padding=3, bias=False)
        with torch.no_grad():
            self.conv1.weight.copy_(rgb.sum(dim=1, keepdim=True) if imagenet else rgb[:, :1] * 3**0.5)
        self.bn1, self.relu, self.maxpool = net.bn1, net.relu, net.maxpool
        self.layer1, self.layer2, self.layer3, self.layer4 = net.layer1, net.layer2, net.layer3, net.layer4

    def extract_pyramid(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Run the network and keep the maps at strides 8, 16 and 32.

        Parameters
        ----------
        x : Tensor
            Normalised grey images, float (n, 1, H, W).

        Returns
        -------
        tuple of Tensor
            (n, 512, H/8, W/8), (n, 1024, H/16, W/16), (n, 2048, H/32, W/32).
        """
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        stride8 = self.layer2(self.layer1(x))
        stride16 = self.layer3(stride8)
        return stride8, stride16, self.layer4(stride16)

    def forward(self, x: Tensor) -> Features:
        """Give the last feature maps and their mean.

        Parameters
        ----------
        x : Tensor
            Normalised grey images, float (n, 1, H, W).

        Returns
        -------
        Features
            Maps (n, 2048, H/32, W/32) and pooled features (n, 2048).
        """
        maps = self.extract_pyramid(x)[-1]
        return Features(maps, maps.mean(dim=(2, 3)))

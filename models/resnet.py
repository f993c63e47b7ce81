"""The backbone: torchvision's ResNet-50 on one grey channel, giving feature maps and their mean in one pass."""

import torch
from torch import Tensor, nn

from models.network import Backbone

N_FEATURES = 2048
STRIDE = 32


class ResNet50(Backbone):
    """ResNet-50 without its classifier, from random weights."""

    n_features, channels = N_FEATURES, (512, 1024)

    def __init__(self) -> None:
        from torchvision.models import resnet50  # noqa: PLC0415 - takes as long as torch itself

        super().__init__()
        net = resnet50(weights=None, zero_init_residual=True)
        self.conv1 = nn.Conv2d(1, 64, kernel_size=7, stride=2, padding=3, bias=False)
        with torch.no_grad():
            self.conv1.weight.copy_(net.conv1.weight[:, :1] * 3**0.5)
        self.bn1, self.relu, self.maxpool = net.bn1, net.relu, net.maxpool
        self.layer1, self.layer2, self.layer3, self.layer4 = net.layer1, net.layer2, net.layer3, net.layer4

    def extract_pyramid(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Give the maps at strides 8, 16 and 32 (see `Backbone`)."""
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        stride8 = self.layer2(self.layer1(x))
        stride16 = self.layer3(stride8)
        return stride8, stride16, self.layer4(stride16)

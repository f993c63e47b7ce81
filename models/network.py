"""What every backbone is: a grey crop in, feature maps out, whose mean linear heads weigh."""

from abc import ABC, abstractmethod
from typing import ClassVar

from torch import Tensor, nn


class Backbone(nn.Module, ABC):
    """A network that ends in global average pooling."""

    n_features: ClassVar[int]  # channels of the last maps
    channels: tuple[int, ...]  # channels of the maps at strides 8 and 16

    @abstractmethod
    def extract_pyramid(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Run the network and keep the maps at strides 8, 16 and 32."""

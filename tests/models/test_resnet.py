import pytest
import torch

from models.resnet import N_FEATURES, STRIDE, Backbone


@pytest.fixture(scope="module")
def backbone() -> Backbone:
    torch.manual_seed(0)
    return Backbone().eval()


def test_pooled_features_are_the_mean_of_the_maps(backbone: Backbone) -> None:
    with torch.inference_mode():
        maps, pooled = backbone(torch.randn(2, 1, 96, 64))
    assert maps.shape == (2, N_FEATURES, 96 // STRIDE, 64 // STRIDE)
    assert torch.allclose(pooled, maps.mean(dim=(2, 3)))


def test_the_pyramid_has_strides_8_16_32(backbone: Backbone) -> None:
    with torch.inference_mode():
        shapes = [tuple(maps.shape[1:]) for maps in backbone.extract_pyramid(torch.zeros(1, 1, 64, 64))]
    assert shapes == [(512, 8, 8), (1024, 4, 4), (2048, 2, 2)]


def test_it_takes_one_grey_channel(backbone: Backbone) -> None:
    with pytest.raises(RuntimeError, match="channels"):
        backbone(torch.zeros(1, 3, 64, 64))

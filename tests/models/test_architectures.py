"""Every backbone reads one grey channel into maps of the strides that it promises."""

import pytest
import torch

from models.architectures import ARCHITECTURES, make_backbone

SHIPPED = ["resnet50", "efficientnet-lite0", "efficientnet-lite2"]


@pytest.mark.parametrize("name", SHIPPED)
def test_the_pyramid_has_strides_8_16_32_and_the_channels_named(name: str) -> None:
    backbone = make_backbone(name).eval()
    with torch.inference_mode():
        shapes = [tuple(maps.shape[1:]) for maps in backbone.extract_pyramid(torch.zeros(1, 1, 96, 64))]
    fine, coarse = backbone.channels
    assert shapes == [(fine, 12, 8), (coarse, 6, 4), (backbone.n_features, 3, 2)]


@pytest.mark.parametrize(
    ("name", "millions"), [("resnet50", 23.5), ("efficientnet-lite0", 3.4), ("efficientnet-lite2", 4.8)]
)
def test_the_networks_have_their_published_size(name: str, millions: float) -> None:
    weights = sum(p.numel() for p in make_backbone(name).parameters())
    assert weights / 1e6 == pytest.approx(millions, abs=0.1)


def test_it_takes_one_grey_channel() -> None:
    with pytest.raises(RuntimeError, match="channels"):
        make_backbone("efficientnet-lite0").extract_pyramid(torch.zeros(1, 3, 64, 64))


def test_an_unknown_architecture_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="'vgg16' is not known: choose resnet50"):
        make_backbone("vgg16")
    assert "vgg16" not in ARCHITECTURES

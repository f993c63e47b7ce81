"""One ONNX file holds a network for every engine: the same maps, half the size, weights under torch's names."""

from pathlib import Path

import numpy as np
import onnx
import pytest
import torch

from models.architectures import ARCHITECTURES
from models.efficientnet import EfficientNetLite, Scaling
from models.exchange import GreyNetwork, read_network, write_network
from models.sealed import BundleError

SIZE = 64


@pytest.fixture(scope="module")
def net() -> GreyNetwork:
    ARCHITECTURES["narrow"] = lambda: EfficientNetLite(Scaling(0.25, 0.3))
    torch.manual_seed(1)
    net = GreyNetwork("narrow", 0.3, 0.2)
    for norm in (m for m in net.modules() if isinstance(m, torch.nn.BatchNorm2d)):
        norm.running_mean.normal_(0, 0.1)
        norm.running_var.uniform_(0.5, 2)
    return net.eval()


@pytest.fixture(scope="module")
def path(net: GreyNetwork, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("network") / "backbone.onnx"
    write_network(net, path, SIZE)
    return path


def test_what_is_read_gives_the_maps_of_what_was_written(net: GreyNetwork, path: Path) -> None:
    images = torch.randint(0, 256, (3, SIZE, SIZE), dtype=torch.uint8)
    with torch.inference_mode():
        expected, got = net(images).numpy(), read_network(path)(images).numpy()
    assert got == pytest.approx(expected, abs=2e-3 * float(np.abs(expected).max()))


def test_the_file_holds_halves_and_names_its_network(net: GreyNetwork, path: Path) -> None:
    model = onnx.load(path)
    about = {entry.key: entry.value for entry in model.metadata_props}
    assert about == {"architecture": "narrow", "mean": "0.3", "std": "0.2"}
    weights = {tensor.name: tensor.data_type for tensor in model.graph.initializer}
    assert weights["backbone.stem.conv.weight"] == onnx.TensorProto.FLOAT16
    assert path.stat().st_size < 2.3 * sum(p.numel() for p in net.parameters()) + 200_000


def test_the_normalisation_is_part_of_it(net: GreyNetwork) -> None:
    white = torch.full((1, 2, 2), 255, dtype=torch.uint8)
    assert net.normalise(white).unique().item() == pytest.approx((1 - 0.3) / 0.2)


@pytest.mark.parametrize("change", ["architecture", "weight"])
def test_another_network_is_refused(change: str, path: Path, tmp_path: Path) -> None:
    model = onnx.load(path)
    if change == "weight":
        model.graph.initializer.remove(next(t for t in model.graph.initializer if t.name.endswith("head.conv.weight")))
    else:
        onnx.helper.set_model_props(model, {"architecture": "vgg16", "mean": "0.3", "std": "0.2"})
    onnx.save(model, tmp_path / "other.onnx")
    with pytest.raises(BundleError, match=r"other\.onnx does not hold a network that this program knows"):
        read_network(tmp_path / "other.onnx")


@pytest.mark.parametrize("content", [b"", b"not a network at all"])
def test_a_broken_file_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "broken.onnx").write_bytes(content)
    with pytest.raises(BundleError, match="does not hold a network"):
        read_network(tmp_path / "broken.onnx")

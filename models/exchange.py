"""A network as one ONNX file: weights in half precision under torch's names, grey levels in, feature maps out."""

import io
import warnings
from pathlib import Path

import numpy as np
import onnx
import torch
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from numpy.typing import NDArray
from onnx import helper, numpy_helper
from torch import Tensor, nn

from models.architectures import make_backbone
from models.bundle import BundleError

OPSET = 17
ARCHITECTURE, MEAN, STD = "architecture", "mean", "std"


class GreyNetwork(nn.Module):
    """A backbone with its normalisation in front.

    Parameters
    ----------
    architecture : str
        One of `models.architectures.ARCHITECTURES`.
    mean, std : float
        Normalisation of grey levels of 0 to 1.
    """

    def __init__(self, architecture: str, mean: float, std: float) -> None:
        super().__init__()
        self.architecture, self.mean, self.std = architecture, mean, std
        self.backbone = make_backbone(architecture)

    def normalise(self, images: Tensor) -> Tensor:
        """Bring grey levels, uint8 (n, size, size), to the backbone's scale, float (n, 1, size, size)."""
        return (images[:, None].float() - 255 * self.mean) / (255 * self.std)

    def forward(self, images: Tensor) -> Tensor:
        """Give the last feature maps, float (n, n_features, size / 32, size / 32)."""
        return self.backbone.extract_pyramid(self.normalise(images))[-1]


def write_network(net: GreyNetwork, path: Path, size: int) -> None:
    """Write a network.

    Parameters
    ----------
    net : GreyNetwork
        The network, fp32, on the CPU.
    path : Path
        The file.
    size : int
        Side of the input, pixels.
    """
    file = io.BytesIO()
    images = torch.zeros(1, size, size, dtype=torch.uint8)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch's newer exporter needs one more package and renames the weights
        torch.onnx.export(
            net.eval(),
            (images,),
            file,  # type: ignore[arg-type] # a stream is taken too
            dynamo=False,
            opset_version=OPSET,
            input_names=["images"],
            output_names=["maps"],
            dynamic_axes={"images": {0: "n"}, "maps": {0: "n"}},
            training=torch.onnx.TrainingMode.PRESERVE,  # keeps each batch norm, so that torch can read its own names
            do_constant_folding=False,
        )
    model = onnx.load_from_string(file.getvalue())
    _halve(model.graph)
    helper.set_model_props(model, {ARCHITECTURE: net.architecture, MEAN: repr(net.mean), STD: repr(net.std)})
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(model, path)


def read_network(path: Path) -> GreyNetwork:
    """Read a network.

    Parameters
    ----------
    path : Path
        What `write_network` wrote.

    Returns
    -------
    GreyNetwork
        In fp32 and evaluation mode.

    Raises
    ------
    BundleError
        If the file holds no network that this program knows.
    """
    try:
        model = onnx.load(path)
        about = {entry.key: entry.value for entry in model.metadata_props}
        net = GreyNetwork(about[ARCHITECTURE], float(about[MEAN]), float(about[STD]))
        tensors = _read_tensors(model.graph)
        weights = {name: torch.from_numpy(tensors[name]) for name in net.state_dict() if name in tensors}
        lacking = net.load_state_dict(weights, strict=False).missing_keys
    except (OSError, KeyError, ValueError, RuntimeError, DecodeError) as error:
        raise misfit(path) from error
    if any(not name.endswith("num_batches_tracked") for name in lacking):
        raise misfit(path)
    return net.eval()


def misfit(path: Path) -> BundleError:
    """Say that a file is no network of this program."""
    return BundleError(f"{path.name} does not hold a network that this program knows: fetch or train it anew.")


def _halve(graph: onnx.GraphProto) -> None:
    """Store the weights in half precision; a cast of each gives back fp32 under another name."""
    casts = []
    for tensor in graph.initializer:
        values = numpy_helper.to_array(tensor)
        if values.dtype != np.float32:
            continue
        tensor.CopyFrom(numpy_helper.from_array(values.astype(np.float16), tensor.name))
        casts.append(helper.make_node("Cast", [tensor.name], [f"{tensor.name}.fp32"], to=onnx.TensorProto.FLOAT))
    wide = {cast.input[0]: cast.output[0] for cast in casts}
    nodes = list(graph.node)
    for node in nodes:
        node.input[:] = [wide.get(name, name) for name in node.input]
    del graph.node[:]
    graph.node.extend([*casts, *nodes])


def _read_tensors(graph: onnx.GraphProto) -> dict[str, NDArray[np.float32]]:
    """Give every weight in fp32; equal ones are stored once, under the name of the first."""
    tensors = {tensor.name: numpy_helper.to_array(tensor).astype(np.float32) for tensor in graph.initializer}
    for node in graph.node:
        if node.op_type == "Identity" and (name := node.input[0].removesuffix(".fp32")) in tensors:
            tensors[node.output[0]] = tensors[name]
    return tensors

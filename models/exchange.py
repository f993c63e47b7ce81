"""A network as one ONNX file: weights in half precision under torch's names, grey levels in, maps out."""

import io
import warnings
from pathlib import Path
from typing import ClassVar, TypeVar

import numpy as np
import onnx
import torch
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from numpy.typing import NDArray
from onnx import helper, numpy_helper
from onnx.checker import ValidationError
from torch import Tensor, nn

from models.architectures import make_backbone
from models.sealed import BundleError
from models.segmenter import Segmenter

OPSET = 17
ARCHITECTURE, MEAN, STD = "architecture", "mean", "std"
SEGMENTER = "lesion-segmenter"
Kind = TypeVar("Kind", bound="GreyInput")


class GreyInput(nn.Module):
    """A network with its normalisation in front.

    Parameters
    ----------
    architecture : str
        Its name, kept in the file.
    mean, std : float
        Normalisation of grey levels of 0 to 1.
    """

    output: ClassVar[str]

    def __init__(self, architecture: str, mean: float, std: float) -> None:
        super().__init__()
        self.architecture, self.mean, self.std = architecture, mean, std

    def normalise(self, images: Tensor) -> Tensor:
        """Bring grey levels, uint8 (n, size, size), to the network's scale, float (n, 1, size, size)."""
        return (images[:, None].float() - 255 * self.mean) / (255 * self.std)


class GreyNetwork(GreyInput):
    """A backbone with its normalisation in front; `architecture` is one of `models.architectures.ARCHITECTURES`."""

    output = "maps"

    def __init__(self, architecture: str, mean: float, std: float) -> None:
        super().__init__(architecture, mean, std)
        self.backbone = make_backbone(architecture)

    def forward(self, images: Tensor) -> Tensor:
        """Give the last feature maps, float (n, n_features, size / 32, size / 32)."""
        return self.backbone.extract_pyramid(self.normalise(images))[-1]


class GreySegmenter(GreyInput):
    """The lesion segmenter with its normalisation in front; `architecture` is `SEGMENTER`."""

    output = "probability"

    def __init__(self, architecture: str, mean: float, std: float) -> None:
        super().__init__(architecture, mean, std)
        if architecture != SEGMENTER:
            raise KeyError(architecture)
        self.segmenter = Segmenter()

    def forward(self, images: Tensor) -> Tensor:
        """Give the probability that a pixel belongs to a lesion, float (n, size, size)."""
        return self.segmenter(self.normalise(images)).sigmoid()[:, 0]


def write_network(net: GreyInput, path: Path, size: int) -> None:
    """Write a network.

    Parameters
    ----------
    net : GreyInput
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
            output_names=[net.output],
            dynamic_axes={"images": {0: "n"}, net.output: {0: "n"}},
            training=torch.onnx.TrainingMode.PRESERVE,  # keeps each batch norm, so that torch can read its own names
            do_constant_folding=False,
        )
    model = onnx.load_from_string(file.getvalue())
    _halve(model.graph)
    _shorten(model.graph)
    helper.set_model_props(model, {ARCHITECTURE: net.architecture, MEAN: repr(net.mean), STD: repr(net.std)})
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(model, path)


def read_network(path: Path) -> GreyNetwork:
    """Read a backbone."""
    return _read(path, GreyNetwork)


def read_segmenter(path: Path) -> GreySegmenter:
    """Read a lesion segmenter, as `read_network` does a backbone."""
    return _read(path, GreySegmenter)


def _read(path: Path, kind: type[Kind]) -> Kind:
    try:
        model = onnx.load(path)
        about = {entry.key: entry.value for entry in model.metadata_props}
        net = kind(about[ARCHITECTURE], float(about[MEAN]), float(about[STD]))
        tensors = _read_tensors(model.graph)
        weights = {name: torch.from_numpy(tensors[name]) for name in net.state_dict() if name in tensors}
        lacking = net.load_state_dict(weights, strict=False).missing_keys
    except (OSError, KeyError, ValueError, RuntimeError, DecodeError, ValidationError) as error:
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


def _shorten(graph: onnx.GraphProto) -> None:
    """Drop the nodes' names and number the tensors between them, which torch names by their path."""
    short: dict[str, str] = {}
    for node in graph.node:
        node.ClearField("name")
        for names in (node.input, node.output):
            names[:] = [short.setdefault(name, str(len(short))) if name.startswith("/") else name for name in names]


def _read_tensors(graph: onnx.GraphProto) -> dict[str, NDArray[np.float32]]:
    """Give every weight in fp32; equal ones are stored once, under the name of the first."""
    tensors = {tensor.name: numpy_helper.to_array(tensor).astype(np.float32) for tensor in graph.initializer}
    for node in graph.node:
        if node.op_type == "Identity" and (name := node.input[0].removesuffix(".fp32")) in tensors:
            tensors[node.output[0]] = tensors[name]
    return tensors

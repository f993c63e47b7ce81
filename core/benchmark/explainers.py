"""Prediction and heat map as the field's libraries make them, on the same network with the backbone's own head."""

from pathlib import Path

import torch
from torch import Tensor, nn

from core.benchmark.timing import Part
from models.bundle import MALIGNANCY, Bundle, read_bundle
from models.exchange import read_network

GRAD_CAM = "prediction and heat map, pytorch-grad-cam's GradCAM, fp32"
CAM = "prediction and heat map, torchcam's CAM, fp32"


class Classifier(nn.Module):
    """The backbone with one linear head, as those libraries expect a network to be."""

    def __init__(self, bundle: Bundle) -> None:
        super().__init__()
        self.network = read_network(bundle.weights_path)
        head = bundle.image_heads[MALIGNANCY]
        self.head = nn.Linear(len(head.weights), 1)
        with torch.no_grad():
            self.head.weight.copy_(torch.from_numpy(head.weights)[None])
            self.head.bias.fill_(head.bias)

    def forward(self, x: Tensor) -> Tensor:
        """Give the logit (n, 1) of grey images, float (n, 1, H, W) in levels of 0 to 255."""
        logit: Tensor = self.head(self.network(x[:, 0]).mean(dim=(2, 3)))
        return logit


def list_explainer_parts(bundle: Path) -> dict[str, Part | None]:
    """List prediction and heat map by other libraries, from an input that is already cut and normalised."""
    read = read_bundle(bundle)
    size = read.manifest.input.size
    image = torch.zeros(1, 1, size, size)
    makers = {GRAD_CAM: _explain_by_grad_cam, CAM: _explain_by_cam}
    return {name: make(Classifier(read).eval(), image) for name, make in makers.items()}


def _explain_by_grad_cam(net: Classifier, image: Tensor) -> Part | None:
    try:
        from pytorch_grad_cam import GradCAM  # noqa: PLC0415 - of the tests' requirements
        from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget  # noqa: PLC0415
    except ImportError:
        return None
    explainer = GradCAM(model=net, target_layers=[net.network])
    return lambda: explainer(input_tensor=image, targets=[ClassifierOutputTarget(0)])


def _explain_by_cam(net: Classifier, image: Tensor) -> Part | None:
    try:
        from torchcam.methods import CAM as ClassActivation  # noqa: PLC0415, N811 - of the tests' requirements
    except ImportError:
        return None
    explainer = ClassActivation(net, target_layer=net.network, fc_layer=net.head)

    def explain() -> object:
        with torch.inference_mode():
            return explainer(0, net(image))

    return explain

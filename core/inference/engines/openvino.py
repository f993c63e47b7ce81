"""OpenVINO as the engine: the fastest on a CPU; one image on all cores, a batch on one core an image."""

from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.inference.engines.interface import FULL, Engine, Precision
from core.inference.engines.openvino_network import read_sized_network
from core.inference.engines.openvino_offline import openvino
from models.input_rule import InputRule

PRECISIONS = {"fp32": "f32", "bf16": "bf16"}


class OpenVinoEngine(Engine):
    """The backbone in OpenVINO on the CPU, compiled at each start."""

    device = "OpenVINO on the CPU"

    def __init__(self, weights: Path, rule: InputRule, *, precision: Precision | None = None) -> None:
        super().__init__(weights, rule, precision or FULL)
        self._model = self._read(weights)
        self.n_features = int(self._model.output(0).shape[1])
        self._request = self._compile("LATENCY").create_infer_request()

    @property
    def parallel(self) -> int:
        """Number of streams: images that run side by side, each on cores of its own."""
        return len(self._streams)

    def _run(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        images = np.ascontiguousarray(images)
        if len(images) == 1:
            self._request.infer({0: images}, share_inputs=True)
            return self._request.get_output_tensor(0).data.copy()
        return self._run_batch(images)

    def _run_batch(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        _, features, height, width = self._request.model_outputs[0].shape
        maps = np.empty((len(images), features, height, width), dtype=np.float32)
        self._streams.set_callback(lambda request, i: np.copyto(maps[i], request.get_output_tensor(0).data[0]))
        for i in range(len(images)):
            self._streams.start_async({0: images[i : i + 1]}, i)
        self._streams.wait_all()
        return maps

    @cached_property
    def _streams(self) -> Any:
        return openvino.AsyncInferQueue(self._compile("THROUGHPUT"))

    def _compile(self, hint: str) -> Any:
        settings = {"PERFORMANCE_HINT": hint, "INFERENCE_PRECISION_HINT": PRECISIONS[self.precision]}
        return openvino.Core().compile_model(self._model, "CPU", settings)

    def _read(self, weights: Path) -> Any:
        """Read the network for one image a pass, uint8 (1, size, size)."""
        return read_sized_network(weights, 1, self.rule.size)

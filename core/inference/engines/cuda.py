"""An NVIDIA GPU as the engine: channels last, half precision, a CUDA graph for each of a few batch sizes."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from core.inference.engines.interface import FULL, EngineOutput, Precision
from core.inference.engines.torch import TorchEngine
from models.input_rule import InputRule

BATCH_SIZES = (1, 8, 32, 128)
WARM_UP_RUNS = 3


class Graph(NamedTuple):
    """A recorded pass: what is written to `images` comes out as `maps` after `replay`."""

    images: Tensor
    maps: Tensor
    recording: torch.cuda.CUDAGraph


class CudaEngine(TorchEngine):
    """The backbone on an NVIDIA GPU; a batch is padded to the next of `BATCH_SIZES`, whose passes are recorded once."""

    cases_at_once = BATCH_SIZES[1]
    images_at_once = BATCH_SIZES[-2]

    def __init__(self, weights: Path, rule: InputRule, *, precision: Precision | None = None) -> None:
        super().__init__(weights, rule, precision=precision or FULL, device="cuda")
        torch.backends.cudnn.benchmark = True
        self._graphs: dict[int, Graph] = {}

    @property
    def parallel(self) -> int:
        """The second largest batch."""
        return self.images_at_once

    @property
    def description(self) -> str:
        """Name of the GPU and precision."""
        return f"{torch.cuda.get_device_name(self._device)}, {self.precision}"

    def warm_up(self) -> None:
        """Record the passes of all batch sizes."""
        for size in BATCH_SIZES:
            self._find_graph(size)

    def read(self, images: NDArray[np.uint8], heads: NDArray[np.float32]) -> EngineOutput:
        """Run the network and reduce its maps on the GPU: see `Engine.read`."""
        self._check(images)
        weights = torch.from_numpy(heads).to(self._device)
        with torch.inference_mode():
            parts = [self._reduce(self._replay(chunk).float(), weights) for chunk in self._split(images)]
            pooled, score_maps = (torch.cat(part).cpu().numpy() for part in zip(*parts, strict=True))
        return EngineOutput(pooled, score_maps)

    def _run(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        with torch.inference_mode():
            maps = [self._replay(chunk).float().contiguous().cpu() for chunk in self._split(images)]
            return torch.cat(maps).numpy()

    @staticmethod
    def _reduce(maps: Tensor, heads: Tensor) -> tuple[Tensor, Tensor]:
        return maps.mean(dim=(2, 3)), torch.einsum("kc,nchw->nkhw", heads, maps)

    @staticmethod
    def _split(images: NDArray[np.uint8]) -> list[NDArray[np.uint8]]:
        largest = BATCH_SIZES[-1]
        return [images[i : i + largest] for i in range(0, len(images), largest)]

    def _replay(self, images: NDArray[np.uint8]) -> Tensor:
        """Give the maps (n, n_features, h, w) of at most `BATCH_SIZES[-1]` images; the next replay overwrites them."""
        graph = self._find_graph(next(size for size in BATCH_SIZES if size >= len(images)))
        graph.images[: len(images)].copy_(torch.from_numpy(np.array(images)))
        graph.recording.replay()
        return graph.maps[: len(images)]

    def _find_graph(self, size: int) -> Graph:
        if size not in self._graphs:
            self._graphs[size] = self._record(size)
        return self._graphs[size]

    def _record(self, size: int) -> Graph:
        images = torch.zeros((size, self.rule.size, self.rule.size), dtype=torch.uint8, device=self._device)
        stream = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        stream.wait_stream(torch.cuda.current_stream())
        with torch.inference_mode(), torch.cuda.stream(stream):
            for _ in range(WARM_UP_RUNS):
                self._forward(images)
        torch.cuda.current_stream().wait_stream(stream)
        recording = torch.cuda.CUDAGraph()
        with torch.inference_mode(), torch.cuda.graph(recording):
            maps = self._forward(images)
        return Graph(images, maps, recording)

"""The loop that every network here is trained by: schedule, batches, averaged weights, checkpoint, resume."""

import math
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
import torch.distributed as dist
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel
from torch.optim.swa_utils import AveragedModel

from core.training.precision import run_depthwise_in_fp32

CHECKPOINT = "checkpoint.pt"
SAVE_EVERY = 50  # steps
CLIP_NORM = 5.0

Net = TypeVar("Net", bound=nn.Module)
OnStep = Callable[[int, int, float], None]


@dataclass(frozen=True)
class Schedule:
    """How long and how fast a network is trained; the same whichever patients it sees."""

    stages: tuple[tuple[int, int], ...]  # image side in pixels and steps at it, from coarse to fine
    batch_size: int  # images a step, over all devices
    # learning_rate, weight_decay: AdamW's; the rate falls by a cosine
    learning_rate: float
    weight_decay: float
    ema_decay: float  # decay a step of the weights' moving average, which is what is kept
    warm_up: float = 0.1  # share of the steps over which the rate rises from zero
    seed: int = 20260507  # seed of initial weights, order and augmentation

    @property
    def steps(self) -> int:
        """Steps over all stages."""
        return sum(steps for _, steps in self.stages)

    @property
    def size(self) -> int:
        """Image side of the last stage, pixels: the network's input."""
        return self.stages[-1][0]

    def size_at(self, step: int) -> int:
        """Image side in pixels at a step, counted from 0."""
        for size, steps in self.stages:
            if step < steps:
                return size
            step -= steps
        return self.size

    def rate_at(self, step: int) -> float:
        """Learning rate at a step, counted from 0."""
        warm, cosine = (step + 1) / (self.warm_up * self.steps), 0.5 * (1 + math.cos(math.pi * step / self.steps))
        return self.learning_rate * min(warm, cosine)


@dataclass(frozen=True)
class Batch:
    """What a step's loss is computed on."""

    rows: Tensor  # positions of the images, int64 (n,)
    size: int  # side of their views, pixels
    generator: torch.Generator  # source of the augmentation's randomness, on the CPU


def fit(
    net: Net,
    compute_loss: Callable[[nn.Module, Batch], Tensor],
    rows: NDArray[np.int64],
    schedule: Schedule,
    folder: Path,
    on_step: OnStep = lambda *_: None,
) -> Net:
    """Train a network in place on some rows, going on from the checkpoint in `folder` if there is one.

    The checkpoint is replaced as a whole every 50 steps and at the end. The network comes back with averaged weights,
    in evaluation mode, on the CPU; `on_step` takes step, number of steps and loss.
    """
    device = choose_device()
    net = net.to(device).to(memory_format=torch.channels_last)
    average = AveragedModel(net, avg_fn=average_by(schedule.ema_decay), use_buffers=True)
    optimiser = torch.optim.AdamW(_split_decay(net, schedule.weight_decay), lr=schedule.learning_rate, fused=True)
    if device.type == "cpu":
        run_depthwise_in_fp32(net)
    checkpoint = _Checkpoint(folder / CHECKPOINT, net, average, optimiser)
    first = checkpoint.resume()
    wrapped: nn.Module = DistributedDataParallel(net) if dist.is_initialized() else net
    for step in range(first, schedule.steps):
        for group in optimiser.param_groups:
            group["lr"] = schedule.rate_at(step)
        wrapped.train()
        loss = compute_loss(wrapped, _draw_batch(rows, schedule, step))
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(net.parameters(), CLIP_NORM)
        optimiser.step()
        average.update_parameters(net)
        on_step(step + 1, schedule.steps, float(loss.detach()))
        if (step + 1) % SAVE_EVERY == 0 or step + 1 == schedule.steps:
            checkpoint.save(step + 1)
    net.load_state_dict(average.module.state_dict())
    return net.to("cpu").eval()


def choose_device() -> torch.device:
    """Give this process's GPU where there is one, else the CPU."""
    if not torch.cuda.is_available():
        return torch.device("cpu")
    return torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))


def average_by(decay: float) -> Callable[[Tensor, Tensor, Tensor | int], Tensor]:
    """Give the moving average's step: at each, older weights fade by `decay`; the first have no extra weight."""

    def step(average: Tensor, current: Tensor, n_averaged: Tensor | int) -> Tensor:
        share = (1 - decay) / (1 - decay ** (float(n_averaged) + 1))
        return average + (current - average) * share if average.is_floating_point() else current

    return step


def _split_decay(net: nn.Module, weight_decay: float) -> list[dict[str, object]]:
    """Weights decay; biases and batch-norm parameters don't."""
    decayed = [p for p in net.parameters() if p.ndim > 1]
    plain = [p for p in net.parameters() if p.ndim <= 1]
    return [{"params": decayed, "weight_decay": weight_decay}, {"params": plain, "weight_decay": 0.0}]


def _draw_batch(rows: NDArray[np.int64], schedule: Schedule, step: int) -> Batch:
    """Give a step's images, each once a pass in an order of its own, and this process's share of them."""
    size = min(schedule.batch_size, len(rows))
    epoch, i = divmod(step, len(rows) // size)
    drawn = np.random.default_rng([schedule.seed, epoch]).permutation(rows)[i * size : (i + 1) * size]
    rank, world = (dist.get_rank(), dist.get_world_size()) if dist.is_initialized() else (0, 1)
    generator = torch.Generator().manual_seed((schedule.seed * 100_000 + step) * world + rank)
    return Batch(torch.from_numpy(drawn[rank::world]), schedule.size_at(step), generator)


@dataclass(frozen=True)
class _Checkpoint:
    """Written whole by the first process, read by all."""

    path: Path
    net: nn.Module
    average: AveragedModel
    optimiser: torch.optim.Optimizer

    def resume(self) -> int:
        """Load the checkpoint; return the step to go on with."""
        if not self.path.exists():
            return 0
        saved = torch.load(self.path, map_location="cpu", weights_only=True)
        self.net.load_state_dict(saved["net"])
        self.average.module.load_state_dict(saved["average"])
        self.average.n_averaged.copy_(saved["n_averaged"])
        self.optimiser.load_state_dict(saved["optimiser"])
        return int(saved["step"])

    def save(self, step: int) -> None:
        """Replace the checkpoint by the present state."""
        if dist.is_initialized() and dist.get_rank() != 0:
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        partial = self.path.with_suffix(".partial")
        state = {
            "step": step,
            "net": self.net.state_dict(),
            "average": self.average.module.state_dict(),
            "n_averaged": self.average.n_averaged,
            "optimiser": self.optimiser.state_dict(),
        }
        torch.save(state, partial)
        partial.replace(self.path)

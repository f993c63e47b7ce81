"""Training of the lesion segmenter: whole frames of several clinics, Dice and cross-entropy."""

from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - torch's own abbreviation
from numpy.typing import NDArray
from torch import Tensor, nn

from core.training.backbone.imagenet import MEAN, STD
from core.training.loop import Batch, OnStep, Schedule, fit
from core.training.precision import train_in_bf16
from core.training.segmenter.augment import augment_frames
from core.training.segmenter.frames import OutlinedFrames
from models.efficientnet import EfficientNetLite
from models.segmenter import Segmenter

SCHEDULE = Schedule(((128, 400), (192, 350)), batch_size=16, learning_rate=1e-3, weight_decay=0.02, ema_decay=0.99)


def train_segmenter(
    data: OutlinedFrames,
    train: NDArray[np.bool_],
    encoder: EfficientNetLite,
    folder: Path,
    schedule: Schedule,
    *,
    on_step: OnStep = lambda *_: None,
) -> Segmenter:
    """Train the segmenter, going on from a checkpoint in `folder` if there is one."""
    torch.manual_seed(schedule.seed)
    net = Segmenter()
    weights = {name: value for name, value in encoder.state_dict().items() if not name.startswith("head.")}
    net.encoder.load_state_dict(weights)
    frames, lesions = torch.from_numpy(data.frames), torch.from_numpy(data.lesions)

    def compute(net: nn.Module, batch: Batch) -> Tensor:
        images, targets = augment_frames(
            frames[batch.rows], lesions[batch.rows], size=batch.size, generator=batch.generator
        )
        device = next(net.parameters()).device
        images = ((images - MEAN) / STD).to(device).contiguous(memory_format=torch.channels_last)
        with train_in_bf16(device):
            log_odds = net(images)
        return compute_loss(log_odds.float(), targets.to(device))

    return fit(net, compute, np.flatnonzero(train), schedule, folder, on_step)


def compute_loss(log_odds: Tensor, targets: Tensor) -> Tensor:
    """Mean of pixels' cross-entropy and of 1 - Dice by image; float32 (n, 1, H, W) each."""
    prob = log_odds.sigmoid()
    overlap = (prob * targets).sum(dim=(1, 2, 3))
    total = prob.sum(dim=(1, 2, 3)) + targets.sum(dim=(1, 2, 3))
    dice = (2 * overlap + 1) / (total + 1)
    return F.binary_cross_entropy_with_logits(log_odds, targets) + (1 - dice).mean()

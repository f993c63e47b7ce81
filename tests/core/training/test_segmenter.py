"""The segmenter's training and figures, on a handful of made-up images."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from core.imaging import Frame, Roi
from core.inference.lesion_finder import LesionFinder
from core.training.backbone.build import EVERYTHING, BackboneWriter, Parts
from core.training.backbone.pretrain import PretrainNet, Recipe
from core.training.loop import Schedule
from core.training.segmenter.augment import augment_frames
from core.training.segmenter.build import SegmenterWriter, train_segmenters
from core.training.segmenter.figures import (
    MappedFrame,
    choose_confidence,
    compute_box_iou,
    paint_contour,
    score_frames,
    summarise_scores,
)
from core.training.segmenter.frames import OutlinedFrames, read_mask, read_outlined_frames
from core.training.segmenter.pretrain import compute_loss, train_segmenter
from models.architectures import ARCHITECTURES
from models.efficientnet import LITE2, EfficientNetLite, Scaling
from models.sealed import CARD
from models.segmenter_card import read_card
from tests.core.training.made_up import write_busbra, write_clinic

TINY = Schedule(((32, 2), (64, 2)), batch_size=4, learning_rate=1e-3, weight_decay=0.0, ema_decay=0.9, seed=3)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> OutlinedFrames:
    busbra, clinic = (write(tmp_path_factory.mktemp("clinic")) for write in (write_busbra, write_clinic))
    return read_outlined_frames(busbra, (clinic,))


def map_drawn(data: OutlinedFrames, row: int, probability: np.ndarray) -> MappedFrame:
    frame = Frame(np.zeros((120, 140), np.uint8), None, (0.0, 0.0), (1.0, 1.0), "0" * 64)
    return MappedFrame(row, frame, probability.astype(np.float32))


def test_frames_and_masks_lie_in_the_same_letterbox(data: OutlinedFrames) -> None:
    assert data.frames.shape == data.lesions.shape == (20, 256, 256)
    assert (data.lesions[0] > 127).mean() == pytest.approx(read_mask(data.masks[0]).mean() * 120 / 140, rel=0.02)
    inside = data.lesions[0] > 127
    assert data.frames[0][inside].mean() < 0.5 * data.frames[0][~inside & (data.frames[0] > 0)].mean()


def test_lesion_free_frames_come_with_an_empty_mask(data: OutlinedFrames) -> None:
    free = data.label == "normal"
    assert free.sum() == 2
    assert not data.lesions[free].any()
    assert (data.clinic[free] == "far").all()


def test_augmentation_moves_mask_and_image_together() -> None:
    square = torch.zeros(48, 256, 256, dtype=torch.uint8)
    square[:, 80:180, 60:200] = 255
    images, masks = augment_frames(square, square, size=96, generator=torch.Generator().manual_seed(1))
    assert images.shape == masks.shape == (48, 1, 96, 96)
    assert 0 <= images.min() <= images.max() <= 1
    assert images[masks > 0.9].mean() > 0.5
    assert (images[masks == 0] > 0).float().mean() < 0.1


def test_the_same_seed_gives_the_same_views(data: OutlinedFrames) -> None:
    frames, lesions = torch.from_numpy(data.frames), torch.from_numpy(data.lesions)
    first, second = (
        augment_frames(frames, lesions, size=64, generator=torch.Generator().manual_seed(5))[0] for _ in "ab"
    )
    assert torch.equal(first, second)


def test_the_loss_is_least_for_the_right_mask() -> None:
    target = torch.zeros(1, 1, 16, 16)
    target[..., 4:10, 4:12] = 1
    right, wrong = (compute_loss(20 * (mask - 0.5), target) for mask in (target, 1 - target))
    assert right < 0.01
    assert wrong > 5
    empty = torch.zeros(1, 1, 16, 16)
    assert compute_loss(-20 * torch.ones(1, 1, 16, 16), empty) < 0.01


def test_training_starts_from_the_encoder_s_weights(data: OutlinedFrames, tmp_path: Path) -> None:
    torch.manual_seed(1)
    encoder = EfficientNetLite(LITE2)
    still = Schedule(((32, 1),), batch_size=2, learning_rate=0.0, weight_decay=0.0, ema_decay=0.9)
    net = train_segmenter(data, data.clinic == "far", encoder, tmp_path / "still", still)
    assert torch.equal(net.encoder.stem.conv.weight, encoder.stem.conv.weight)
    losses: list[float] = []
    everyone = np.ones(len(data), dtype=bool)
    train_segmenter(data, everyone, encoder, tmp_path / "tiny", TINY, on_step=lambda *step: losses.append(step[2]))
    assert len(losses) == 4
    assert np.isfinite(losses).all()


def test_the_drawn_lesion_itself_scores_one(data: OutlinedFrames) -> None:
    mask = read_mask(data.masks[0])
    scores = score_frames([map_drawn(data, 0, 0.9 * mask), map_drawn(data, 1, 0 * mask)], data, 0.5)
    assert scores.loc[0, ["dice", "box_iou"]].to_numpy(float) == pytest.approx(1, abs=0.03)
    assert scores.loc[0, ["proposals", "drawn", "found"]].tolist() == [1, 1, 1]
    assert scores.loc[1, ["proposals", "found", "dice"]].tolist() == [0, 0, 0]
    assert score_frames([map_drawn(data, 0, 0.6 * mask)], data, 0.7).loc[0, "proposals"] == 0


def test_a_proposal_on_a_lesion_free_frame_is_a_false_alarm(data: OutlinedFrames) -> None:
    row, mask = int(np.flatnonzero(data.label == "normal")[0]), read_mask(data.masks[0])
    summary = summarise_scores(score_frames([map_drawn(data, 0, mask), map_drawn(data, row, mask)], data, 0.5), seed=0)
    assert (summary["false_alarms"]["count"], summary["false_alarms"]["n"]) == (1, 1)
    assert (summary["missed"]["count"], summary["missed"]["n"], summary["several"]) == (0, 1, None)


def test_the_least_confidence_weighs_false_alarms_against_misses() -> None:
    def make_table(false: int, missed: int) -> pd.DataFrame:
        free = pd.DataFrame({"label": "normal", "proposals": [1] * false + [0] * (100 - false), "dice": np.nan})
        lesions = pd.DataFrame({"label": "benign", "proposals": 1, "dice": [0.0] * missed + [0.9] * (100 - missed)})
        return pd.concat([free, lesions])

    tables = {0.5: [make_table(40, 1)], 0.7: [make_table(12, 3)], 0.9: [make_table(2, 9)]}
    assert choose_confidence(tables) == 0.7


def test_patients_are_the_unit() -> None:
    scores = pd.DataFrame(
        {
            "patient": ["1", "1", "2", "3"],
            "label": ["benign", "benign", "malignant", "benign"],
            "proposals": [1, 2, 1, 0],
            "drawn": 1,
            "found": [1, 1, 1, 0],
            "dice": [1.0, 0.8, 0.6, 0.0],
            "iou": [1.0, 0.7, 0.5, 0.0],
            "box_iou": [1.0, 0.6, 0.5, 0.0],
        }
    )
    summary = summarise_scores(scores, seed=0)
    assert summary["all"]["dice"]["mean"] == pytest.approx((0.9 + 0.6 + 0) / 3)
    assert summary["malignant"]["dice"] == {"mean": 0.6, "ci": [0.6, 0.6]}
    low, high = summary["all"]["dice"]["ci"]
    assert low < summary["all"]["dice"]["mean"] < high
    assert summary["missed"]["count"] == 1


@pytest.mark.parametrize(
    ("box", "iou"), [((0, 0, 10, 10), 1), ((5, 0, 15, 10), 1 / 3), ((20, 0, 30, 10), 0), ((2, 2, 7, 7), 0.25)]
)
def test_the_overlap_of_boxes(box: tuple[float, ...], iou: float) -> None:
    assert compute_box_iou(Roi(0, 0, 10, 10), Roi(*box)) == pytest.approx(iou)


def test_a_painted_contour_has_its_area_and_place() -> None:
    mask = paint_contour(np.array([[10.0, 5.0], [30.0, 5.0], [30.0, 25.0], [10.0, 25.0]]), 60, 40)
    assert mask[5:25, 10:30].all()
    assert mask.sum() == 400


def test_the_build_writes_weights_figures_and_card(data: OutlinedFrames, tmp_path: Path) -> None:
    ARCHITECTURES["narrow"] = lambda: EfficientNetLite(Scaling(0.25, 0.3))
    held = {"far": data.clinic == "far"}
    torch.manual_seed(2)
    nets = {name: PretrainNet("narrow") for name in ("far", EVERYTHING)}
    encoders = {name: EfficientNetLite(LITE2) for name in nets}
    segmenters = train_segmenters(data, held, encoders, tmp_path / "work", TINY, progress=lambda done, total: None)
    recipe = Recipe(stages=((64, 1),), architecture="narrow", imagenet=False)
    backbone = BackboneWriter(Parts(None, {}, nets), recipe, ())  # type: ignore[arg-type] # its lesions are not asked
    writer = SegmenterWriter(data, held, segmenters, TINY, backbone)
    summary = writer.write(tmp_path / "out", tmp_path / "work")
    assert writer.write(tmp_path / "again", tmp_path / "work")["figures"] == summary["figures"]
    figures = summary["figures"]["far"]
    assert (figures["all"]["frames"], figures["all"]["patients"], figures["false_alarms"]["n"]) == (6, 3, 2)
    assert (figures["boxes"]["n"], figures["boxes"]["events"]) == (6, 2)
    card = read_card(tmp_path / "out")
    assert card["figures"] == summary["figures"]
    assert card["training_data"]["frames"] == {"busbra": 12, "far": 8}
    assert "| far | all | 6 | 3 |" in (tmp_path / "out" / CARD).read_text(encoding="utf-8")
    assert LesionFinder.load(tmp_path / "out", engine="torch").predict_map(data.frames[0]).shape == (64, 64)

"""The segmenter's training and figures, on a handful of made-up images in BUS-BRA's layout."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from core.errors import UsageError
from core.imaging import Roi
from core.training.busbra import Busbra, read_busbra
from core.training.segmenter.augment import augment_frames
from core.training.segmenter.build import SegmenterPlan, build_segmenter
from core.training.segmenter.figures import compute_box_iou, paint_contour, summarise_scores
from core.training.segmenter.pretrain import (
    SegmenterRecipe,
    compute_loss,
    read_masks,
    read_pair,
    train_segmenter,
)
from models.bundle import CARD
from models.segmenter_card import CARD_JSON, WEIGHTS

TINY = SegmenterRecipe(stages=((32, 1), (64, 1)), batch_size=4, seed=3)


def quiet(done: int, total: int) -> None:
    """Show no progress."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("busbra")
    (folder / "images").mkdir()
    (folder / "masks").mkdir()
    rng = np.random.default_rng(0)
    rows = []
    for i in range(12):
        yy, xx = np.mgrid[:120, :140]
        mask = ((xx - 70) / 30) ** 2 + ((yy - 55) / 18) ** 2 < 1
        image = (rng.integers(60, 160, mask.shape) * np.where(mask, 0.3, 1)).astype(np.uint8)
        name = f"bus_{i:04d}-l"
        Image.fromarray(image).save(folder / "images" / f"{name}.png")
        Image.fromarray(mask.astype(np.uint8) * 255).save(folder / "masks" / f"mask_{i:04d}-l.png")
        pathology = "malignant" if i // 2 % 2 else "benign"
        rows.append((name, i // 2, "cyst", pathology, 2 + i % 4, "[40,37,60,36]", 1 + i // 4))
    table = pd.DataFrame(rows, columns=["ID", "Case", "Histology", "Pathology", "BIRADS", "BBOX", "kFold"])
    table.drop(columns="kFold").to_csv(folder / "bus_data.csv", index=False)
    table[["ID", "kFold"]].to_csv(folder / "5-fold-cv.csv", index=False)
    return folder


@pytest.fixture(scope="module")
def busbra(folder: Path) -> Busbra:
    return read_busbra(folder)


def test_frames_and_masks_lie_in_the_same_letterbox(busbra: Busbra) -> None:
    masks = read_masks(busbra.paths)
    image, mask = read_pair(busbra.paths[0])
    assert masks.frames.shape == masks.lesions.shape == (12, 256, 256)
    assert (masks.lesions[0] > 127).mean() == pytest.approx((mask > 127).mean() * 120 / 140, rel=0.02)
    assert masks.frames[0][masks.lesions[0] > 127].mean() == pytest.approx(image[mask > 127].mean(), abs=3)


def test_augmentation_moves_mask_and_image_together() -> None:
    square = torch.zeros(24, 256, 256, dtype=torch.uint8)
    square[:, 80:180, 60:200] = 255
    images, masks = augment_frames(square, square, size=96, generator=torch.Generator().manual_seed(1))
    assert images.shape == masks.shape == (24, 1, 96, 96)
    assert 0 <= images.min() <= images.max() <= 1
    assert images[masks > 0.9].mean() > 0.5
    assert (images[masks == 0] > 0).float().mean() < 0.05


def test_the_same_seed_gives_the_same_views(busbra: Busbra) -> None:
    masks = read_masks(busbra.paths)
    frames, lesions = torch.from_numpy(masks.frames), torch.from_numpy(masks.lesions)
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


def test_a_stopped_run_gives_the_same_weights(busbra: Busbra, tmp_path: Path) -> None:
    masks, everyone = read_masks(busbra.paths), np.ones(12, dtype=bool)
    whole = train_segmenter(masks, everyone, tmp_path / "whole", TINY)

    class StopError(Exception):
        pass

    def stop(step: int, total: int) -> None:
        if step == 5:
            raise StopError

    with pytest.raises(StopError):
        train_segmenter(masks, everyone, tmp_path / "parts", TINY, on_step=stop)
    steps: list[int] = []
    resumed = train_segmenter(masks, everyone, tmp_path / "parts", TINY, on_step=lambda step, _: steps.append(step))
    assert steps == [4, 5, 6]
    for name, value in whole.state_dict().items():
        assert torch.allclose(value.float(), resumed.state_dict()[name].float(), atol=1e-3), name


def test_a_patient_never_stands_on_both_sides(busbra: Busbra) -> None:
    for fold in np.unique(busbra.fold):
        assert not set(busbra.patient[busbra.fold == fold]) & set(busbra.patient[busbra.fold != fold])


def test_the_build_writes_weights_figures_and_card(folder: Path, tmp_path: Path) -> None:
    plan = SegmenterPlan((2, 3), TINY)
    out = tmp_path / "segmenter"
    summary = build_segmenter(folder, out, tmp_path / "work", plan, progress=quiet)
    held = summary["held_out"]
    assert (held["folds"], held["images"], held["patients"]) == ([2, 3], 8, 4)
    assert held["benign"]["n"] + held["malignant"]["n"] == 4
    card = json.loads((out / CARD_JSON).read_text(encoding="utf-8"))
    assert card["figures"]["held_out"] == held
    assert {"schema_version", "sha256", "input", "threshold", "seed", "training_data"} <= set(card)
    assert (out / WEIGHTS).stat().st_size <= 10_000_000
    assert "8 images of 4 patients" in (out / CARD).read_text(encoding="utf-8")


def test_patients_are_the_unit() -> None:
    scores = pd.DataFrame(
        {
            "patient": [1, 1, 2, 3],
            "fold": 1,
            "malignant": [0, 0, 1, 0],
            "n_lesions": [1, 2, 1, 0],
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
    assert (summary["missed"]["images"], summary["missed"]["patients"], summary["none"]) == (1, 1, 1)


@pytest.mark.parametrize(
    ("box", "iou"), [((0, 0, 10, 10), 1), ((5, 0, 15, 10), 1 / 3), ((20, 0, 30, 10), 0), ((2, 2, 7, 7), 0.25)]
)
def test_the_overlap_of_boxes(box: tuple[float, ...], iou: float) -> None:
    assert compute_box_iou(Roi(0, 0, 10, 10), Roi(*box)) == pytest.approx(iou)


def test_a_painted_contour_has_its_area_and_place() -> None:
    mask = paint_contour(np.array([[10.0, 5.0], [30.0, 5.0], [30.0, 25.0], [10.0, 25.0]]), 60, 40)
    assert mask[5:25, 10:30].all()
    assert mask.sum() == 400


def test_a_fold_that_is_not_there_is_refused() -> None:
    with pytest.raises(UsageError, match="Folds are 1 to 5, not 0"):
        SegmenterPlan((0,), TINY)

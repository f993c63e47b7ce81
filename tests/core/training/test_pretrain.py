"""The backbone's training on a handful of made-up images in BUS-BRA's layout."""

from pathlib import Path

import numpy as np
import pytest
import torch

from core.errors import InputError, UsageError
from core.imaging import Roi
from core.training.augment import augment
from core.training.backbone import pretrain as module
from core.training.backbone.build import name_run
from core.training.backbone.figures import calibrate_left_out, fit_temperature, move_box
from core.training.backbone.folder import make_reference
from core.training.backbone.pretrain import Recipe, pretrain
from core.training.busbra import CROP_PX, read_busbra
from core.training.clinics import Lesions, read_lesions
from core.training.descriptors import NAMES, compute_descriptors
from core.training.pretrain import Plan
from core.training.segmenter.pretrain import SCHEDULE
from tests.core.training.made_up import write_busbra


@pytest.fixture(scope="module")
def busbra(tmp_path_factory: pytest.TempPathFactory) -> Lesions:
    return read_lesions(write_busbra(tmp_path_factory.mktemp("busbra")))


def test_the_data_set_is_read_into_lesion_centred_crops(busbra: Lesions) -> None:
    assert busbra.crops.shape == (12, CROP_PX, CROP_PX)
    assert busbra.malignant.tolist() == [0, 1] * 6
    inside = busbra.masks > 127
    assert inside[:, CROP_PX // 2, CROP_PX // 2].all()
    assert inside.any(axis=1).sum(axis=1) == pytest.approx(CROP_PX / 2.6, rel=0.03)


@pytest.mark.parametrize(("passes", "stages"), [(6, Recipe().stages), (1, ((192, 1),)), (4, ((128, 1), (192, 3)))])
def test_so_many_passes_as_asked(passes: int, stages: tuple[tuple[int, int], ...]) -> None:
    recipe = Recipe().lasting(passes)
    assert recipe.stages == stages
    assert recipe.size == Recipe().size
    assert recipe.schedule(320).steps == 10 * passes


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"'bus_data.csv' is not in the BUS-BRA folder"):
        read_busbra(tmp_path)


def test_descriptors_tell_posterior_shadow_from_enhancement() -> None:
    yy, xx = np.mgrid[:160, :160]
    mask = ((xx - 80) / 30) ** 2 + ((yy - 60) / 20) ** 2 < 1
    plain = np.where(mask, 40, 120).astype(np.uint8)
    below = (np.abs(xx - 80) < 20) & (yy > 82)
    shadow, enhanced = np.where(below, 60, plain).astype(np.uint8), np.where(below, 200, plain).astype(np.uint8)
    posterior = NAMES.index("posterior_echo")
    values = [compute_descriptors(image, mask)[posterior] for image in (shadow, plain, enhanced)]
    assert values == pytest.approx([-60 / 255, 0, 80 / 255], abs=0.04)


def test_descriptors_tell_a_lobed_outline_from_a_round_one() -> None:
    yy, xx = np.mgrid[:200, :200]
    angle, radius = np.arctan2(yy - 100, xx - 100), np.hypot(yy - 100, xx - 100)
    grey = np.full((200, 200), 100, np.uint8)
    smooth, lobed = (compute_descriptors(grey, radius < 50 * (1 + a * np.cos(6 * angle))) for a in (0, 0.15))
    for name, sign in (("lobulation", 1), ("irregularity", 1), ("solidity", -1)):
        assert sign * (lobed - smooth)[NAMES.index(name)] > 0


def test_augmentation_keeps_the_lesion_and_moves_mask_and_image_together(busbra: Lesions) -> None:
    crops, masks = torch.from_numpy(busbra.masks.copy()), torch.from_numpy(busbra.masks.copy())
    images, outlines = augment(crops, masks, size=96, zoom=0.67, generator=torch.Generator().manual_seed(1))
    assert images.shape == outlines.shape == (12, 1, 96, 96)
    assert 0 <= images.min() <= images.max() <= 1
    assert (outlines.mean(dim=(1, 2, 3)) > 0.03).all()
    inside, outside = images[outlines > 0.9].mean(), images[outlines < 0.1].mean()
    assert inside > outside + 0.3


def test_the_same_seed_gives_the_same_views(busbra: Lesions) -> None:
    crops, masks = torch.from_numpy(busbra.crops.copy()), torch.from_numpy(busbra.masks.copy())
    first, second = (
        augment(crops, masks, size=64, zoom=0.67, generator=torch.Generator().manual_seed(5))[0] for _ in "ab"
    )
    assert torch.equal(first, second)


def test_a_pass_sees_each_image_once_whatever_their_number() -> None:
    recipe = Recipe(stages=((32, 1), (64, 2)), batch_size=4)
    assert recipe.schedule(14).stages == ((32, 3), (64, 6))
    assert recipe.schedule(2).steps == 3
    assert recipe.size == 64


def test_training_gives_a_network_that_has_learnt(busbra: Lesions, tmp_path: Path) -> None:
    recipe = Recipe(stages=((32, 1), (64, 1)), batch_size=4, seed=3, architecture="efficientnet-lite0", imagenet=False)
    losses: list[float] = []
    net = pretrain(busbra, np.ones(12, dtype=bool), tmp_path, recipe, on_step=lambda *step: losses.append(step[2]))
    assert len(losses) == 6
    assert np.isfinite(losses).all()
    assert not net.training


def test_normalised_grey_is_centred() -> None:
    assert module.normalise(torch.tensor([module.MEAN])).item() == pytest.approx(0)


def test_a_temperature_undoes_what_was_multiplied() -> None:
    rng = np.random.default_rng(0)
    logit = rng.normal(size=4000)
    malignant = (rng.random(4000) < 1 / (1 + np.exp(-logit))).astype(float)
    assert fit_temperature([(3 * logit, malignant)]) == pytest.approx(3, rel=0.1)
    found = calibrate_left_out({"a": (3 * logit[:2000], malignant[:2000]), "b": (3 * logit[2000:], malignant[2000:])})
    assert found["a"]["slope"] == pytest.approx(1, abs=0.2)
    assert calibrate_left_out({"alone": (logit, malignant)}) == {}


def test_a_box_moves_by_parts_of_its_sides() -> None:
    moved = move_box(Roi(0, 0, 100, 50), 0.2, 0.8, 0.0)
    assert (moved.x0, moved.y0, moved.x1, moved.y1) == pytest.approx((30, 5, 110, 45))


def test_one_in_a_hundred_training_images_lies_beyond_caution() -> None:
    pooled = np.random.default_rng(0).normal(size=(1000, 64))
    reference = make_reference(pooled)
    distance = np.sqrt(np.mean(((pooled - reference["centre"]) / reference["spread"]) ** 2, axis=1))
    assert np.mean(distance > reference["caution"]) == pytest.approx(0.01, abs=0.002)
    assert reference["median"] < reference["caution"]


def test_a_fold_that_is_not_there_is_refused() -> None:
    with pytest.raises(UsageError, match="Folds are 1 to 5, not 6"):
        Plan((6,), (), Recipe(), SCHEDULE)


def test_what_is_not_there_is_refused_by_name(busbra: Lesions) -> None:
    with pytest.raises(UsageError, match="no network 'vgg16': choose resnet50"):
        Plan((), (), Recipe(architecture="vgg16"), SCHEDULE)
    with pytest.raises(UsageError, match="no clinic 'elsewhere' to leave out; there are busbra"):
        Plan((), ("elsewhere",), Recipe(), SCHEDULE).hold_out(busbra.clinic, busbra.fold)


def test_each_held_out_part_is_whole_patients(busbra: Lesions) -> None:
    parts = Plan((1, 2), ("busbra",), Recipe(), SCHEDULE).hold_out(busbra.clinic, busbra.fold)
    assert list(parts) == ["fold 1", "fold 2", "busbra"]
    assert not set(busbra.patient[parts["fold 1"]]) & set(busbra.patient[~parts["fold 1"]])
    assert parts["busbra"].all()


def test_a_checkpoint_belongs_to_its_data_part_and_recipe() -> None:
    names = {name_run(*of) for of in (("a", "x", {}), ("b", "x", {}), ("a", "y", {}), ("a", "x", {"seed": 1}))}
    assert len(names) == 4
    assert name_run("a", "fold 1", {}) == name_run("a", "fold 1", {})

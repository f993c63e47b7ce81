"""Further clinics are read into the same arrays; near-duplicates and patients stay together."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from core.errors import InputError
from core.training.clinics import find_box, read_index, split_lesions
from core.training.duplicates import compute_perceptual_hash, group_near_duplicates
from tests.core.imaging.samples import make_speckle

COLUMNS = ["dataset", "image", "mask", "label", "patient", "masks", "marks", "doppler"]


@pytest.fixture
def clinics(tmp_path: Path) -> Path:
    rows = []
    for i in range(6):
        Image.fromarray(make_speckle(80, 100, seed=i // 2)).save(tmp_path / f"{i}.png")
        patient = f"P{i // 3}" if i < 3 else ""
        rows.append(("one" if i < 3 else "two", f"{i}.png", "", "normal", patient, "", "no", "no"))
    pd.DataFrame(rows, columns=COLUMNS).to_csv(tmp_path / "index.csv", index=False)
    return tmp_path


def test_a_group_never_stands_in_two_folds(clinics: Path) -> None:
    table = read_index(clinics)
    assert table["group"].tolist()[:3] == ["one/P0"] * 3
    assert table["group"][4] == table["group"][5] != table["group"][3]
    assert table.groupby("group")["fold"].nunique().max() == 1
    assert table["fold"].between(1, 5).all()


def test_a_missing_index_or_column_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"'index.csv' is not in the clinics' folder"):
        read_index(tmp_path)
    (tmp_path / "index.csv").write_text("dataset,image\n")
    with pytest.raises(InputError, match="lacks the column doppler, label, mask, masks, patient"):
        read_index(tmp_path)


def test_brighter_and_smaller_copies_are_near_duplicates() -> None:
    image = make_speckle(200, 240, seed=1)
    small = np.asarray(Image.fromarray(image).resize((120, 100), Image.Resampling.BILINEAR))
    brighter = (image * 0.8 + 20).astype(np.uint8)
    assert group_near_duplicates([image, small, make_speckle(200, 240, seed=2), brighter]).tolist() == [0, 0, 1, 0]
    assert compute_perceptual_hash(image).shape == (64,)
    assert group_near_duplicates([]).tolist() == []


def test_several_lesions_are_told_apart_and_specks_left_out() -> None:
    mask = np.zeros((40, 60), dtype=bool)
    mask[5:15, 5:15] = mask[20:30, 30:45] = mask[38, 58] = True
    boxes = [find_box(lesion) for lesion in split_lesions(mask, several=True)]
    assert boxes == [(5, 5, 15, 15), (30, 20, 45, 30)]
    assert [find_box(lesion) for lesion in split_lesions(mask, several=False)] == [(5, 5, 59, 39)]

"""BUS-BRA, real breast ultrasound with masks: read into crops that the backbone trains on.

Gomez-Flores W, Gregorio-Calas MJ, Coelho de Albuquerque Pereira W. BUS-BRA: a breast ultrasound dataset for assessing
computer-aided diagnosis systems. Medical Physics 2023.
"""

import ast
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image

from core.errors import InputError
from core.training.descriptors import compute_descriptors

CROP_PX = 288
CROP_CONTEXT = 2.6
BIRADS = (2, 3, 4, 5)
HISTOLOGY = (
    "fibroadenoma",
    "invasive ductal carcinoma",
    "cyst",
    "fibrocystic changes",
    "invasive lobular carcinoma",
    "intraductal papilloma",
    "sclerosing adenosis",
)


@dataclass(frozen=True)
class Busbra:
    """The data set as arrays, one row per image."""

    # crops, masks: (n, 288, 288), lesion-centred squares, `CROP_CONTEXT` times the longer side of the box, and the
    # lesion in them (0 or 255)
    crops: NDArray[np.uint8]
    masks: NDArray[np.uint8]
    malignant: NDArray[np.float32]  # (n,), 1 malignant, 0 benign
    # birads, histology: (n,), class index; rare histologies share the last class
    birads: NDArray[np.int64]
    histology: NDArray[np.int64]
    descriptors: NDArray[np.float32]  # (n, 10), measured descriptors, unstandardised
    # patient, fold: (n,), patient number, and the fold (1 to 5) that holds the patient
    patient: NDArray[np.int64]
    fold: NDArray[np.int64]
    boxes: NDArray[np.float32]  # (n, 4), lesion box x0, y0, x1, y1 in image pixels
    paths: tuple[Path, ...]  # image files

    def __len__(self) -> int:
        return len(self.paths)


def read_busbra(folder: Path) -> Busbra:
    """Read the data set from its folder: bus_data.csv, 5-fold-cv.csv, images/ and masks/."""
    table = read_table(folder)
    paths = tuple(folder / "images" / f"{name}.png" for name in table["ID"])
    corner = np.array([ast.literal_eval(text) for text in table["BBOX"]], dtype=np.float32)
    boxes = np.concatenate([corner[:, :2], corner[:, :2] + corner[:, 2:]], axis=1)
    crops, masks, descriptors = [], [], []
    for path, box in zip(paths, boxes, strict=True):
        image = np.asarray(Image.open(path).convert("L"))
        mask = np.asarray(Image.open(folder / "masks" / path.name.replace("bus_", "mask_", 1)).convert("L"))
        crops.append(crop_lesion(image, box))
        masks.append(crop_lesion(mask, box))
        descriptors.append(compute_descriptors(image, mask > 127))
    histology = table["Histology"].map({name: i for i, name in enumerate(HISTOLOGY)}).fillna(len(HISTOLOGY))
    return Busbra(
        crops=np.stack(crops),
        masks=np.stack(masks),
        malignant=np.asarray(table["Pathology"] == "malignant", dtype=np.float32),
        birads=np.searchsorted(BIRADS, table["BIRADS"]).astype(np.int64),
        histology=np.asarray(histology, dtype=np.int64),
        descriptors=np.stack(descriptors),
        patient=np.asarray(table["Case"], dtype=np.int64),
        fold=np.asarray(table["kFold"], dtype=np.int64),
        boxes=boxes,
        paths=paths,
    )


def read_table(folder: Path) -> pd.DataFrame:
    """Read the list of images, with the fold of each."""
    try:
        table = pd.read_csv(folder / "bus_data.csv")
        folds = pd.read_csv(folder / "5-fold-cv.csv", usecols=["ID", "kFold"])
    except FileNotFoundError as error:
        raise InputError(
            f"'{Path(error.filename).name}' is not in the BUS-BRA folder; give the folder that holds it."
        ) from None
    table = table.merge(folds, on="ID", validate="one_to_one")
    if table.groupby("Case")["kFold"].nunique().max() > 1:
        raise InputError("A patient is in two folds of 5-fold-cv.csv; make the folds by patient.")
    return table


def crop_lesion(image: NDArray[np.uint8], box: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Cut the square of `CROP_CONTEXT` times the box's longer side, uint8 (288, 288); black beyond the image."""
    x0, y0, x1, y1 = (float(v) for v in box)
    half = CROP_CONTEXT * max(x1 - x0, y1 - y0) / 2
    cx, cy = (x0 + x1) / 2, (y0 + y1) / 2
    pad = int(np.ceil(half)) + 2
    padded = Image.fromarray(np.pad(image, pad))
    area = (cx - half + pad, cy - half + pad, cx + half + pad, cy + half + pad)
    return np.asarray(padded.resize((CROP_PX, CROP_PX), Image.Resampling.BILINEAR, box=area))

"""Lesions of several clinics as arrays that a network trains on: one reader, one crop, one grouping by patient.

BUS-BRA: Gomez-Flores W, Gregorio-Calas MJ, Coelho de Albuquerque Pereira W. Medical Physics 2023.
BUSI: Al-Dhabyani W, Gomaa M, Khaled H, Fahmy A. Data in Brief 2020;28:104863.
BUS-UCLM: Vallez N, Bueno G, Deniz O, Rienda MA, Pastor C. Scientific Data 2025;12:242.
"""

import hashlib
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from core.errors import InputError
from core.training.busbra import Busbra, crop_lesion, read_busbra
from core.training.descriptors import compute_descriptors
from core.training.duplicates import group_near_duplicates

BUSBRA = "busbra"
UNKNOWN = -100  # torch's cross-entropy leaves this class out
N_FOLDS = 5
LEAST_PART = 0.2


@dataclass(frozen=True)
class Lesions:
    """Lesions of all clinics, one row per lesion."""

    # crops, masks: (n, 288, 288), lesion-centred squares, 2.6 times the longer side of the box, and the lesion in them
    # (0 or 255)
    crops: NDArray[np.uint8]
    masks: NDArray[np.uint8]
    malignant: NDArray[np.float32]  # (n,), 1 malignant, 0 benign
    # birads, histology: (n,), class index; `UNKNOWN` where the clinic doesn't tell
    birads: NDArray[np.int64]
    histology: NDArray[np.int64]
    descriptors: NDArray[np.float32]  # (n, 10), measured descriptors, unstandardised
    # clinic, patient: (n,), name of the data set; the patient, or the group of near-duplicates where patients are not
    # named
    clinic: NDArray[np.str_]
    patient: NDArray[np.str_]
    fold: NDArray[np.int64]  # (n,), fold (1 to 5) that holds the patient
    doppler: NDArray[np.bool_]  # (n,), whether colour lies over the frame; such a lesion teaches but is not measured on
    boxes: NDArray[np.float32]  # (n, 4), lesion box x0, y0, x1, y1 in pixels of the file
    paths: NDArray[np.str_]  # (n,), image files

    def __len__(self) -> int:
        return len(self.paths)

    def hash(self) -> str:
        """Identify the data by their content."""
        digest = hashlib.sha256()
        for part in (self.crops, self.malignant, self.fold):
            digest.update(np.ascontiguousarray(part).tobytes())
        return digest.hexdigest()


def read_lesions(busbra: Path, clinics: Sequence[Path] = ()) -> Lesions:
    """Read BUS-BRA and, where given, the folders of further clinics."""
    parts = [_from_busbra(read_busbra(busbra)), *map(_read_clinics, clinics)]
    names = [field.name for field in fields(Lesions)]
    return Lesions(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in names})


def read_index(clinics: Path) -> pd.DataFrame:
    """Read index.csv, with the group that never stands on two sides of a split, and the fold (1 to 5)."""
    try:
        table = pd.read_csv(clinics / "index.csv", keep_default_na=False, dtype={"masks": str})
    except FileNotFoundError:
        raise InputError("'index.csv' is not in the clinics' folder; give the folder that holds it.") from None
    lacking = {"dataset", "image", "mask", "label", "patient", "masks", "doppler"} - set(table)
    if lacking:
        raise InputError(f"index.csv lacks the column {', '.join(sorted(lacking))}.")
    table["group"] = table["dataset"] + "/" + table["patient"]
    unnamed = table["patient"] == ""
    images = [np.asarray(Image.open(clinics / name).convert("L")) for name in table.loc[unnamed, "image"]]
    numbers = group_near_duplicates(images)
    table.loc[unnamed, "group"] = [
        f"{dataset}/{number}" for dataset, number in zip(table.loc[unnamed, "dataset"], numbers, strict=True)
    ]
    table["fold"] = [_draw_fold(group) for group in table["group"]]
    return table


def _draw_fold(group: str) -> int:
    return int(hashlib.sha256(group.encode()).hexdigest(), 16) % N_FOLDS + 1


def _from_busbra(data: Busbra) -> Lesions:
    n = len(data)
    return Lesions(
        crops=data.crops,
        masks=data.masks,
        malignant=data.malignant,
        birads=data.birads,
        histology=data.histology,
        descriptors=data.descriptors,
        clinic=np.full(n, BUSBRA),
        patient=np.array([f"{BUSBRA}/{number}" for number in data.patient]),
        fold=data.fold,
        doppler=np.zeros(n, dtype=bool),
        boxes=data.boxes,
        paths=np.array([str(path) for path in data.paths]),
    )


def _read_clinics(folder: Path) -> Lesions:
    table = read_index(folder)
    rows: list[tuple[dict[Hashable, object], str, NDArray[np.uint8], NDArray[np.bool_]]] = []
    for row in table[table["label"] != "normal"].to_dict("records"):
        path = folder / row["image"]
        image = np.asarray(Image.open(path).convert("L"))
        mask = np.asarray(Image.open(folder / row["mask"]).convert("L")) > 127
        rows.extend((row, str(path), image, one) for one in split_lesions(mask, several=row["masks"] not in {"", "1"}))
    boxes = np.array([find_box(lesion) for *_, lesion in rows], dtype=np.float32)
    crops = [
        (crop_lesion(image, box), crop_lesion(np.uint8(255) * lesion, box))
        for (_, _, image, lesion), box in zip(rows, boxes, strict=True)
    ]
    unknown = np.full(len(rows), UNKNOWN, dtype=np.int64)
    return Lesions(
        crops=np.stack([crop for crop, _ in crops]),
        masks=np.stack([mask for _, mask in crops]),
        malignant=np.array([row["label"] == "malignant" for row, *_ in rows], dtype=np.float32),
        birads=unknown,
        histology=unknown,
        descriptors=np.stack([compute_descriptors(image, lesion) for _, _, image, lesion in rows]),
        clinic=np.array([row["dataset"] for row, *_ in rows]),
        patient=np.array([row["group"] for row, *_ in rows]),
        fold=np.array([row["fold"] for row, *_ in rows], dtype=np.int64),
        doppler=np.array([row["doppler"] == "yes" for row, *_ in rows]),
        boxes=boxes,
        paths=np.array([path for _, path, *_ in rows]),
    )


def split_lesions(mask: NDArray[np.bool_], *, several: bool) -> Iterator[NDArray[np.bool_]]:
    """Give each lesion of a mask; parts below a fifth of the largest belong to none."""
    if not several:
        yield mask
        return
    labels, n = ndimage.label(mask)
    areas = np.bincount(labels.ravel(), minlength=n + 1)[1:]
    for number in np.flatnonzero(areas >= LEAST_PART * areas.max()) + 1:
        yield labels == number


def find_box(mask: NDArray[np.bool_]) -> tuple[float, float, float, float]:
    """Give the box x0, y0, x1, y1 around a mask, pixels."""
    rows, cols = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    return float(cols[0]), float(rows[0]), float(cols[-1] + 1), float(rows[-1] + 1)

"""Whole frames of several clinics with the outlines of their lesions, and lesion-free frames."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from core.training.busbra import read_table
from core.training.clinics import BUSBRA, read_index
from models.letterbox import Letterbox

CANVAS_PX = 256
NORMAL = "normal"


@dataclass(frozen=True)
class OutlinedFrames:
    """One row a frame."""

    # frames, lesions: (n, 256, 256), letterboxed images and the masks of all their lesions (0 or 255)
    frames: NDArray[np.uint8]
    lesions: NDArray[np.uint8]
    # clinic, patient: (n,), name of the data set; the patient, or the group of near-duplicates where patients are not
    # named
    clinic: NDArray[np.str_]
    patient: NDArray[np.str_]
    label: NDArray[np.str_]  # (n,), "benign", "malignant" or "normal" (no lesion)
    fold: NDArray[np.int64]  # (n,), fold (1 to 5) that holds the patient
    doppler: NDArray[np.bool_]  # (n,), whether colour lies over the frame; such a frame teaches but is not measured on
    several: NDArray[np.bool_]  # (n,), whether the frame has more than one lesion
    # paths, masks: (n,), image and mask files; no mask ("") where there is no lesion
    paths: NDArray[np.str_]
    masks: NDArray[np.str_]

    def __len__(self) -> int:
        return len(self.paths)

    def hash(self) -> str:
        """Identify the data by their content."""
        digest = hashlib.sha256()
        for part in (self.frames, self.lesions, self.fold):
            digest.update(np.ascontiguousarray(part).tobytes())
        return digest.hexdigest()


Row = tuple[str, str, str, str, str, int, bool, bool]


def read_outlined_frames(busbra: Path, clinics: Sequence[Path] = ()) -> OutlinedFrames:
    """Read BUS-BRA and, where given, the folders of further clinics onto small squares."""
    rows = [*_list_busbra(busbra), *(row for folder in clinics for row in _list_clinics(folder))]
    paths, masks, clinic, patient, label, fold, doppler, several = zip(*rows, strict=True)
    pairs = [_read_square(path, mask) for path, mask in zip(paths, masks, strict=True)]
    return OutlinedFrames(
        frames=np.stack([frame for frame, _ in pairs]),
        lesions=np.stack([lesion for _, lesion in pairs]),
        clinic=np.array(clinic),
        patient=np.array(patient),
        label=np.array(label),
        fold=np.array(fold, dtype=np.int64),
        doppler=np.array(doppler),
        several=np.array(several),
        paths=np.array(paths),
        masks=np.array(masks),
    )


def read_mask(path: str) -> NDArray[np.bool_]:
    """Read a mask's file, bool (height, width)."""
    return np.asarray(Image.open(path).convert("L")) > 127


def _list_busbra(folder: Path) -> Iterator[Row]:
    for row in read_table(folder).to_dict("records"):
        image, mask = (folder / part / f"{row['ID']}.png" for part in ("images", "masks"))
        mask = mask.with_name(mask.name.replace("bus_", "mask_", 1))
        patient = f"{BUSBRA}/{row['Case']}"
        yield str(image), str(mask), BUSBRA, patient, row["Pathology"], int(row["kFold"]), False, False


def _list_clinics(folder: Path) -> Iterator[Row]:
    for row in read_index(folder).to_dict("records"):
        mask = str(folder / row["mask"]) if row["mask"] and row["label"] != NORMAL else ""
        doppler, several = row["doppler"] == "yes", row["masks"] not in {"", "1"}
        image = str(folder / row["image"])
        yield image, mask, row["dataset"], row["group"], row["label"], int(row["fold"]), doppler, several


def _read_square(path: str, mask: str) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    image = np.asarray(Image.open(path).convert("L"))
    lesion = np.uint8(255) * read_mask(mask) if mask else np.zeros_like(image)
    letterbox = Letterbox(image.shape[1], image.shape[0], CANVAS_PX)
    return letterbox.apply(image), letterbox.apply(lesion)

"""Pooled features of a manifest's images, one vector a patient; kept in chunks so that a stopped run goes on."""

import hashlib
from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from core.errors import AppError
from core.imaging import Roi, assess_quality, default_roi, prepare_input, read_frame
from core.inference.engines.interface import Engine
from core.training.augment import augment
from core.training.busbra import CROP_CONTEXT, CROP_PX

BATCH = 16
N_VIEWS = 4
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Features:
    """What the backbone reads from a manifest's images.

    Parameters
    ----------
    pooled : ndarray of float64, (n_images, n_features)
        Pooled features; rows of images that were refused are NaN.
    refused : tuple of (int, str)
        Row of the manifest and reason.
    cautions : tuple of (int, str)
        Row of the manifest, and what calls for caution with its image or box.
    """

    pooled: NDArray[np.float64]
    refused: tuple[tuple[int, str], ...]
    cautions: tuple[tuple[int, str], ...] = ()

    def of_patients(self, patient_id: "pd.Series[str]", wanted: "pd.Index[str]") -> NDArray[np.float64]:
        """Give the pooled features of the readable images of some patients, one row an image."""
        return self.pooled[patient_id.isin(wanted).to_numpy() & np.isfinite(self.pooled[:, 0])]

    def by_patient(self, patient_id: "pd.Series[str]") -> pd.DataFrame:
        """Average the images of each patient; one row per patient, patients without a readable image left out."""
        table = pd.DataFrame(self.pooled, index=pd.Index(patient_id, name="patient_id"))
        return table.dropna().groupby(level=0).mean()


def extract_features(images: pd.DataFrame, engine: Engine, cache: Path, progress: Progress) -> Features:
    """Run the backbone over a manifest's images."""
    cache.mkdir(parents=True, exist_ok=True)
    pooled, refused, cautions = np.full((len(images), engine.n_features), np.nan), [], []
    for done, batch in _batches(images):
        crops, rows = [], []
        for position, image in zip(batch.index, batch.to_dict("records"), strict=True):
            try:
                crop, words = _read_crop(image, size=engine.rule.size, context=engine.rule.context)
                cautions += [(int(image["row"]), sentence) for sentence in words]
                crops.append(crop)
                rows.append(int(position))
            except (AppError, OSError) as error:
                refused.append((int(image["row"]), _name_fault(error)))
        if crops:
            pooled[np.array(rows)] = _pool(np.stack(crops), engine, cache)
        progress(done, len(images))
    return Features(pooled, tuple(refused), tuple(cautions))


def _batches(images: pd.DataFrame) -> Iterator[tuple[int, pd.DataFrame]]:
    for start in range(0, len(images), BATCH):
        batch = images.iloc[start : start + BATCH]
        yield start + len(batch), batch


def extract_views(images: pd.DataFrame, engine: Engine, cache: Path, progress: Progress, *, seed: int) -> Features:
    """Run the backbone over random views of each image: another hand's box, another gain, depth, flip."""
    pooled = np.full((len(images) * N_VIEWS, engine.n_features), np.nan)
    for i, image in enumerate(images.to_dict("records")):
        try:
            crop, _ = _read_crop(image, size=CROP_PX, context=CROP_CONTEXT)
        except (AppError, OSError):
            continue
        generator = torch.Generator().manual_seed(_seed_views(seed, str(image["patient_id"]), crop))
        crops = torch.from_numpy(np.repeat(crop[None], N_VIEWS, axis=0))
        zoom = engine.rule.context / CROP_CONTEXT
        views, _ = augment(crops, crops, size=engine.rule.size, zoom=zoom, generator=generator)
        pixels = (views[:, 0] * 255).round().to(torch.uint8).numpy()
        pooled[i * N_VIEWS : (i + 1) * N_VIEWS] = _pool(pixels, engine, cache)
        progress((i + 1) * N_VIEWS, len(pooled))
    return Features(pooled, ())


def _name_fault(error: AppError | OSError) -> str:
    return str(error) if isinstance(error, AppError) else "The image file can't be opened."


def _seed_views(seed: int, patient_id: str, crop: NDArray[np.uint8]) -> int:
    """Give the seed of an image's views: the patient's and the image's own, wherever its row stands."""
    key = hashlib.sha256(f"{seed}/{patient_id}/".encode() + crop.tobytes()).digest()
    return int.from_bytes(key[:7], "big")


def _read_crop(image: Mapping[Hashable, Any], *, size: int, context: float) -> tuple[NDArray[np.uint8], list[str]]:
    """Give the model's input of an image, and what calls for caution."""
    frame = read_frame(Path(image["path"]).read_bytes())
    roi = default_roi(frame) if image["box"] is None else frame.to_frame(Roi(*image["box"]))
    cautions = [finding.sentence for finding in assess_quality(frame, roi) if finding.status == "caution"]
    return prepare_input(frame, roi, size=size, context=context), cautions


def _pool(crops: NDArray[np.uint8], engine: Engine, cache: Path) -> NDArray[np.float64]:
    key = hashlib.sha256(engine.sha256.encode() + engine.precision.encode() + crops.tobytes()).hexdigest()
    path = cache / f"{key}.npy"
    if path.exists():
        return np.load(path)
    pooled = engine.extract_maps(crops).mean(axis=(2, 3), dtype=np.float64)
    partial = path.with_suffix(".partial.npy")
    np.save(partial, pooled)
    partial.replace(path)
    return pooled

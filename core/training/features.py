"""Pooled features of a manifest's images, one vector a patient; kept in chunks so that a stopped run goes on."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from core.cohort.scoring.local import NO_LESION, SHORT_OF, box_row, decode_row
from core.errors import InputError
from core.imaging import Frame, Roi, assess_quality, prepare_input, read_frame
from core.inference.applicability import Gate
from core.inference.engines.interface import Engine
from core.inference.lesion_finder import BoxSource, get_finder
from core.inference.prediction import Status
from core.training.augment import augment
from core.training.busbra import CROP_CONTEXT, CROP_PX
from core.training.duplicates import compute_perceptual_hash, find_twins

BATCH = 16
N_VIEWS = 4
Progress = Callable[[int, int], None]
Floats = NDArray[np.float64]
KEEP = " If it is one, --keep {row} takes it."
KEEP_UNFIT = " If it is to be learnt from all the same, --keep {row} takes it."
KEEP_TWIN = " If it is this patient's, --keep {row} takes it."


@dataclass(frozen=True)
class ImageRead:
    """What was read of one image of a manifest."""

    row: int  # row of the manifest
    roi: Roi  # lesion box in pixels of the frame
    box: BoxSource  # "drawn", "proposed", "default", whose box it is
    gate: Status  # "ok", "caution", "refused", what the backbone's applicability rule says of it
    sha256: str  # of the frame's pixels
    looks: NDArray[np.bool_]  # (64,), perceptual hash of the frame


@dataclass(frozen=True)
class Features:
    """What the backbone reads from a manifest's images."""

    pooled: NDArray[np.float64]  # (n_images, n_features), pooled features; rows of images that were refused are NaN
    refused: tuple[tuple[int, str], ...]  # row of the manifest and reason
    cautions: tuple[tuple[int, str], ...] = ()  # row of the manifest, and what calls for caution with its image or box
    reads: tuple[ImageRead, ...] = ()  # one for each image that could be decoded

    @property
    def is_read(self) -> NDArray[np.bool_]:
        """Which images are used; bool (n_images,)."""
        return np.isfinite(self.pooled[:, 0])

    def count_boxes(self, rows: "pd.Series[int]") -> dict[str, int]:
        """Count the used images by whose lesion box they have."""
        used = set(rows[self.is_read])
        return dict(Counter(read.box for read in self.reads if read.row in used))

    def count_gate(self) -> dict[str, int]:
        """Count the images that could be decoded by what the gate says of them."""
        found = Counter(read.gate for read in self.reads)
        return {"n": len(self.reads), "passed": found["ok"], "cautioned": found["caution"], "refused": found["refused"]}

    def name_boxes(self, images: pd.DataFrame) -> "pd.Series[str]":
        """Name whose lesion boxes each patient's used images have, "mixed" where they differ."""
        box_of = {read.row: read.box for read in self.reads}
        used = images[self.is_read]
        boxes = used["row"].map(box_of).groupby(used["patient_id"])
        return boxes.first().where(boxes.nunique() == 1, "mixed")

    def list_used(self, images: pd.DataFrame) -> pd.DataFrame:
        """List the used images, each with the lesion box that it was read with, in pixels of the frame ("roi")."""
        used = images[self.is_read]
        return used.assign(roi=used["row"].map({read.row: read.roi for read in self.reads}))

    def leave_out(self, rows: "pd.Series[int]", refused: tuple[tuple[int, str], ...]) -> "Features":
        """Leave out images that could be read once and no more."""
        lost = rows.isin([row for row, _ in refused]).to_numpy()
        pooled = np.where(lost[:, None], np.nan, self.pooled)
        return replace(self, pooled=pooled, refused=tuple(sorted((*self.refused, *refused))))

    def of_patients(self, patient_id: "pd.Series[str]", wanted: "pd.Index[str]") -> NDArray[np.float64]:
        """Give the pooled features of the readable images of some patients, one row per image."""
        return self.pooled[patient_id.isin(wanted).to_numpy() & self.is_read]

    def by_patient(self, patient_id: "pd.Series[str]") -> pd.DataFrame:
        """Average the images of each patient; one row per patient, patients without a readable image left out."""
        table = pd.DataFrame(self.pooled, index=pd.Index(patient_id, name="patient_id"))
        return table.dropna().groupby(level=0).mean()


def extract_features(
    images: pd.DataFrame,
    engine: Engine,
    cache: Path,
    progress: Progress,
    *,
    gate: Gate,
    kept: AbstractSet[int] = frozenset(),
) -> Features:
    """Run the backbone over a manifest's images; what an estimate refuses is left out by name, kept rows aside."""
    cache.mkdir(parents=True, exist_ok=True)
    pooled, refused, cautions = np.full((len(images), engine.n_features), np.nan), [], []
    reads: list[ImageRead] = []
    for done, batch in _batches(images):
        crops, cut = [], []
        for position, image in zip(batch.index, batch.to_dict("records"), strict=True):
            row = int(image["row"])
            try:
                frame, roi, box = _read_lesion(image)
                crops.append(prepare_input(frame, roi, size=engine.rule.size, context=engine.rule.context))
                findings = assess_quality(frame, roi)
                unfit = [finding.sentence + KEEP_UNFIT for finding in findings if finding.status == "refused"]
                cut.append((int(position), row, frame, roi, box, unfit))
                cautions += [(row, finding.sentence) for finding in findings if finding.status == "caution"]
            except (InputError, OSError) as error:
                refused.append((row, _name_fault(error)))
        for (position, row, frame, roi, box, unfit), features in zip(cut, _pool(crops, engine, cache), strict=True):
            status, sentence = gate.assess(features, is_ultrasound=frame.is_ultrasound)
            faults = [sentence + KEEP, *unfit] if status == "refused" else unfit
            reads.append(_describe(row, frame, roi, box, "refused" if faults else status))
            if faults and row not in kept:
                refused.append((row, faults[0].format(row=row)))
                continue
            pooled[position] = features
            cautions += [(row, sentence)] if status == "caution" else []
            cautions += [(row, NO_LESION)] if box == "default" else []
        progress(done, len(images))
    twins = list(_find_twins(images, reads))
    refused += [(row, sentence) for row, sentence, same in twins if same and row not in kept]
    cautions += [(row, sentence) for row, sentence, same in twins if not same]
    gone = {row for row, _ in refused}
    pooled[images["row"].isin(gone).to_numpy()] = np.nan
    cautions = [(row, sentence) for row, sentence in cautions if row not in gone]
    return Features(pooled, tuple(sorted(refused)), tuple(sorted(cautions)), tuple(reads))


def _find_twins(images: pd.DataFrame, reads: Sequence[ImageRead]) -> Iterator[tuple[int, str, bool]]:
    """Name the images that stand under two patients, or twice with one box, and whether they are equal to the pixel."""
    if not reads:
        return
    patient_of = dict(zip(images["row"], images["patient_id"], strict=True))
    owners, same = [patient_of[read.row] for read in reads], defaultdict(list)
    for i, read in enumerate(reads):
        same[read.sha256].append(i)
    near = find_twins(np.stack([read.looks for read in reads]), owners)
    for i, own in enumerate(reads):
        equal = next((j for j in same[own.sha256] if owners[j] != owners[i]), None)
        if equal is not None:
            keep = KEEP_TWIN.format(row=own.row)
            yield own.row, f"The same image is in row {reads[equal].row} under another patient_id.{keep}", True
            continue
        first = next(j for j in same[own.sha256] if reads[j].roi == own.roi)
        if first < i:
            yield own.row, f"The same image with the same box is in row {reads[first].row}.", True
        elif i in near:
            yield own.row, f"Nearly the same image is in row {reads[near[i]].row} under another patient_id.", False


def _describe(row: int, frame: Frame, roi: Roi, box: BoxSource, status: Status) -> ImageRead:
    digest = hashlib.sha256(str(frame.pixels.shape).encode() + frame.pixels.tobytes()).hexdigest()
    return ImageRead(row, roi, box, status, digest, compute_perceptual_hash(frame.pixels))


def _batches(images: pd.DataFrame) -> Iterator[tuple[int, pd.DataFrame]]:
    for start in range(0, len(images), BATCH):
        batch = images.iloc[start : start + BATCH]
        yield start + len(batch), batch


def extract_views(images: pd.DataFrame, engine: Engine, cache: Path, progress: Progress, *, seed: int) -> Features:
    """Run the backbone over random views of each used image: another hand's box, another gain, depth, flip.

    An image that can't be read again is refused by its row.
    """
    pooled, refused = np.full((len(images) * N_VIEWS, engine.n_features), np.nan), []
    for i, image in enumerate(images.to_dict("records")):
        try:
            frame = read_frame(image["path"].read_bytes(), bulk=True)
            crop = prepare_input(frame, image["roi"], size=CROP_PX, context=CROP_CONTEXT)
        except (InputError, OSError) as error:
            refused.append((int(image["row"]), _name_fault(error)))
            continue
        generator = torch.Generator().manual_seed(_seed_views(seed, str(image["patient_id"]), crop))
        crops = torch.from_numpy(np.repeat(crop[None], N_VIEWS, axis=0))
        zoom = engine.rule.context / CROP_CONTEXT
        views, _ = augment(crops, crops, size=engine.rule.size, zoom=zoom, generator=generator)
        pixels = (views[:, 0] * 255).round().to(torch.uint8).numpy()
        pooled[i * N_VIEWS : (i + 1) * N_VIEWS] = _pool(list(pixels), engine, cache)
        progress((i + 1) * N_VIEWS, len(pooled))
    return Features(pooled, tuple(refused))


def average_views(viewed: Features, patient_id: "pd.Series[str]", wanted: "pd.Index[str]") -> dict[str, Floats]:
    """Give the views (v, n_features) of each wanted patient; of several images, each view's mean."""
    by_image = viewed.pooled.reshape(len(patient_id), N_VIEWS, -1)
    owners = patient_id.to_numpy()
    return {patient: np.nanmean(by_image[owners == patient], axis=0) for patient in wanted}


def _name_fault(error: InputError | OSError) -> str:
    """Say why an image is refused; that the computer is short of something is no verdict on it, and ends the work."""
    if isinstance(error, OSError) and error.errno in SHORT_OF:
        raise error
    return str(error) if isinstance(error, InputError) else "The image file can't be opened."


def _seed_views(seed: int, patient_id: str, crop: NDArray[np.uint8]) -> int:
    """Give the seed of an image's views: the patient's and the image's own, wherever its row stands."""
    key = hashlib.sha256(f"{seed}/{patient_id}/".encode() + crop.tobytes()).digest()
    return int.from_bytes(key[:7], "big")


def _read_lesion(image: Mapping[Hashable, object]) -> tuple[Frame, Roi, BoxSource]:
    row = {str(name): value for name, value in image.items()}
    return box_row(row, decode_row(row, bulk=True), get_finder().find)


def _pool(cut: Sequence[NDArray[np.uint8]], engine: Engine, cache: Path) -> NDArray[np.float64]:
    if not cut:
        return np.empty((0, engine.n_features))
    crops = np.stack(cut)
    key = hashlib.sha256(engine.sha256.encode() + engine.precision.encode() + crops.tobytes()).hexdigest()
    path = cache / f"{key}.npy"
    with suppress(OSError, ValueError, EOFError):  # not there, or cut off by a power failure
        return np.asarray(np.load(path), dtype=np.float64)
    pooled = engine.extract_maps(crops).mean(axis=(2, 3), dtype=np.float64)
    partial = path.with_suffix(".partial.npy")
    np.save(partial, pooled)
    partial.replace(path)
    return pooled

"""A manifest checked before a bundle is trained on it: what was read, what is refused, what is too few; no network."""

import hashlib
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pandas as pd

from core.cohort.manifest import Manifest, read_manifest
from core.cohort.splits import iterate_splits, label_split
from core.errors import InputError, TableError
from core.figures.wording import word_count
from core.imaging import inspect_image
from core.imaging.decoding.pool import count_cores
from core.training.plan import TrainingPlan, check_size, count_predictors, describe_events

PIXELS = (
    "Of the images only headers were read: whether they show ultrasound, colour over the lesion, or nearly the same as "
    "another patient's is found while training."
)
NO_TEST = "No patient is held out (test or external): nothing will say how the model does with new patients."


def check_manifest(path: Path, plan: TrainingPlan) -> dict[str, Any]:
    """Check a manifest as training would read it; a TableError if it can't be used as a whole.

    "sentences" in plain words, those of them that are not about columns ("findings"), "is_enough" (whether there are
    enough training patients), "columns", "unread" ones with what was perhaps meant, "splits", "refused" rows with their
    reasons, "images_without_box", and "images_shared" (rows of equal files under several patients).
    """
    return check_read(read_manifest(path, plan.split_rule, plan.choices, confined=plan.confined), plan)


def check_read(manifest: Manifest, plan: TrainingPlan) -> dict[str, object]:
    """Check a manifest that was read; what it gives is that of `check_manifest`."""
    unread, shared = _look_at_files(manifest.images)
    refused = tuple(sorted((*manifest.refused, *unread)))
    images = manifest.images[~manifest.images["row"].isin(dict(unread))]
    patients = manifest.patients[manifest.patients.index.isin(images["patient_id"])]
    high = plan.cutoff.is_high(patients["ki67_pct"].astype(float))
    splits = {
        name: {"patients": len(part), "high": int(high[part.index].sum())} for name, part in iterate_splits(patients)
    }
    no_box = int(images["box"].isna().sum())
    rows = (
        f"{word_count(manifest.reading.rows, 'row')}: {word_count(len(images), 'image')} of "
        f"{word_count(len(patients), 'patient')} used; rows refused: {len(refused)}."
    )
    too_few = _find_lack(patients, refused, plan)
    findings = [
        *(
            f"{label_split(name)}: {word_count(part['patients'], 'patient')}, {part['high']} high."
            for name, part in splits.items()
        ),
        too_few or describe_events(high[patients["split"] == "train"].astype(int), 1 + count_predictors(patients)),
        *([NO_TEST] if not {"test", "external"} & splits.keys() else []),
        *([f"{word_count(no_box, 'image')} without a box: the segmenter proposes one."] if no_box else []),
        *(f"Rows {', '.join(map(str, rows))}: the same file under several patients." for rows in shared),
        PIXELS,
    ]
    columns = [f"{c.column}: {c.label}" + (f" ({c.unit})" if c.unit else "") for c in manifest.reading.columns]
    return {
        "sentences": [rows, *columns, *manifest.notes, *manifest.reading.describe(), *findings],
        "findings": [rows, *manifest.notes, *findings],
        "is_enough": not too_few,
        "columns": [[c.column, c.name, c.coding, c.unit, c.known, c.missing] for c in manifest.reading.columns],
        "unread": list(manifest.reading.unread),
        "splits": splits,
        "refused": list(refused),
        "images_without_box": no_box,
        "images_shared": shared,
    }


def _find_lack(patients: pd.DataFrame, refused: tuple[tuple[int, str], ...], plan: TrainingPlan) -> str:
    """Say that there are too few training patients; "" where there are enough."""
    try:
        check_size(patients, refused, plan)
    except TableError as error:
        return str(error)
    return ""


def _look_at_files(images: pd.DataFrame) -> tuple[list[tuple[int, str]], list[list[int]]]:
    """Give the rows whose file can't be used, with the reason, and those of equal files under several patients."""
    unread: list[tuple[int, str]] = []
    places: dict[str, list[tuple[int, str]]] = defaultdict(list)
    with ThreadPoolExecutor(count_cores()) as threads:
        for image, (digest, fault) in zip(
            images.to_dict("records"), threads.map(_look_at_file, images["path"], images["box"]), strict=True
        ):
            if fault:
                unread.append((int(image["row"]), fault))
            else:
                places[digest].append((int(image["row"]), str(image["patient_id"])))
    shared = [[row for row, _ in found] for found in places.values() if len({patient for _, patient in found}) > 1]
    return unread, shared


def _look_at_file(path: Path, box: tuple[float, float, float, float] | None) -> tuple[str, str]:
    """Give a file's hash, and what its header says against it; its pixels are not decoded."""
    try:
        data = path.read_bytes()
        size = inspect_image(data).size
    except OSError:
        return "", "The image file can't be opened."
    except InputError as error:
        return "", str(error)
    if size is not None and box is not None and not (box[0] < size[0] and box[1] < size[1] and min(box[2:]) > 0):
        return "", f"box lies outside the image, which is {size[0]} x {size[1]} pixels."
    return hashlib.sha256(data).hexdigest(), ""

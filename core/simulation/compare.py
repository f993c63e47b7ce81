"""How alike simulated and real ultrasound images are: grey levels in and around the lesion, and spectra."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import binary_dilation
from scipy.stats import wasserstein_distance

from core.errors import InputError
from core.simulation.devices import DEVICES, plan_view
from core.simulation.overlay import plan_layout

CROP = 128
CROP_MARGIN = 1.5
RING = (0.04, 0.25)
WEDGE_DEGREES = 30.0
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class LesionImage:
    """A B-mode image with its lesion.

    Raises
    ------
    InputError
        If the shapes differ or the mask is empty.
    """

    patient: str  # whose image it is
    pixels: NDArray[np.uint8]  # (height, width), grey levels of the B-mode area
    mask: NDArray[np.bool_]  # (height, width), the lesion

    def __post_init__(self) -> None:
        if self.pixels.shape != self.mask.shape or not self.mask.any():
            raise InputError("An image and its lesion mask must have the same size, and the mask must not be empty.")


@dataclass(frozen=True)
class Realism:
    """Distances between two sets of images, and the same between two halves of the real ones."""

    # n_simulated, n_real: images
    n_simulated: int
    n_real: int
    # columns: measure, unit, distance (simulated to real), floor (half of the real patients to the other half)
    table: pd.DataFrame
    # columns: direction (radial, lateral, axial), frequency (cycles per crop), simulated_db, real_db
    spectra: pd.DataFrame


@dataclass(frozen=True)
class _Summary:
    inside: Floats
    around: Floats
    means: Floats
    spectra: dict[str, Floats]


def compare_realism(simulated: Iterable[LesionImage], real: Iterable[LesionImage]) -> Realism:
    """Compare simulated with real images."""
    simulated, real = list(simulated), list(real)
    patients = {name: turn for turn, name in enumerate(dict.fromkeys(image.patient for image in real))}
    if not simulated or len(patients) < 2:
        raise InputError("A comparison needs simulated images and real images of at least two patients.")
    halves = [[image for image in real if patients[image.patient] % 2 == half] for half in (0, 1)]
    parts = [_summarise(images) for images in (simulated, real, *halves)]
    table = _measure(parts[0], parts[1]).merge(
        _measure(parts[2], parts[3]).rename(columns={"distance": "floor"}), on=["measure", "unit"]
    )
    return Realism(len(simulated), len(real), table, _tabulate_spectra(*parts[:2]))


def read_simulated_lesions(table: Path) -> Iterator[LesionImage]:
    """Read the frames of a written cohort, cut to their B-mode area."""
    for _, row in _read_csv(table).iterrows():
        device = DEVICES[row["centre"]]
        area = plan_layout(device, plan_view(device, row["size_mm"], row["size_ap_mm"]))
        at = slice(area.top, area.top + area.height), slice(area.left, area.left + area.width)
        pixels, mask = (_read_grey(table.parent / row[name])[at] for name in ("image", "mask"))
        yield LesionImage(row["patient_id"], pixels, mask > 127)


def read_busbra_lesions(folder: Path) -> Iterator[LesionImage]:
    """Read BUS-BRA's images of malignant lesions (Gomez-Flores et al., Medical Physics 2023).

    Both views of a lesion belong to one patient.
    """
    data = _read_csv(folder / "bus_data.csv")
    if not {"ID", "Case", "Pathology"} <= set(data.columns):
        raise InputError("bus_data.csv lacks ID, Case or Pathology; give the folder of BUS-BRA.")
    for row in data[data["Pathology"] == "malignant"].itertuples():
        name = str(row.ID)
        pixels = _read_grey(folder / "images" / f"{name}.png")
        mask = _read_grey(folder / "masks" / f"{name.replace('bus', 'mask')}.png")
        yield LesionImage(str(row.Case), pixels, mask > 127)


def _read_csv(path: Path) -> pd.DataFrame:
    try:
        return pd.read_csv(path)
    except (OSError, ValueError) as error:
        raise InputError(f"{path.name} can't be read; give a folder that holds it.") from error


def _read_grey(path: Path) -> NDArray[np.uint8]:
    try:
        with Image.open(path) as image:
            return np.asarray(image.convert("L"))
    except OSError as error:
        raise InputError("An image of the comparison can't be read; check that the folder is complete.") from error


def _summarise(images: Sequence[LesionImage]) -> _Summary:
    inside, around = np.zeros(256), np.zeros(256)
    means, spectra = [], []
    for image in images:
        ring = _make_ring(image.mask)
        counts = [np.bincount(image.pixels[place], minlength=256) for place in (image.mask, ring)]
        inside, around = inside + counts[0] / counts[0].sum(), around + counts[1] / max(counts[1].sum(), 1)
        grey = [float(image.pixels[place].mean()) if place.any() else math.nan for place in (image.mask, ring)]
        means.append((*grey, grey[1] - grey[0]))
        spectra.append(_compute_spectrum(image))
    log_power = np.mean(spectra, axis=0)
    rows = {name: _average_spectrum(log_power, name) for name in ("radial", "lateral", "axial")}
    return _Summary(inside / inside.sum(), around / around.sum(), np.array(means), rows)


def _make_ring(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Make the ring around a lesion, from 4 to 25 % of its diameter away."""
    diameter = math.sqrt(float(mask.sum()))
    near, far = (max(1, round(part * diameter)) for part in RING)
    return binary_dilation(mask, iterations=far) & ~binary_dilation(mask, iterations=near)


def _compute_spectrum(image: LesionImage) -> Floats:
    """Compute the log power (dB) of the lesion-centred crop, shape (CROP, CROP), frequency 0 in the middle."""
    rows, cols = np.flatnonzero(image.mask.any(axis=1)), np.flatnonzero(image.mask.any(axis=0))
    z, x = float(rows[0] + rows[-1]) / 2, float(cols[0] + cols[-1]) / 2
    longer = max(int(rows[-1] - rows[0]), int(cols[-1] - cols[0]), 8)
    half = min(CROP_MARGIN * longer, *image.pixels.shape) / 2
    z = min(max(z, half), image.pixels.shape[0] - half)
    x = min(max(x, half), image.pixels.shape[1] - half)
    whole = Image.fromarray(image.pixels.astype(np.float32))
    crop = np.asarray(whole.resize((CROP, CROP), Image.Resampling.BICUBIC, (x - half, z - half, x + half, z + half)))
    crop = (crop - crop.mean()) / max(float(crop.std()), 1e-6)
    window = np.hanning(CROP)
    power = np.abs(np.fft.fftshift(np.fft.fft2(crop * window[:, None] * window[None, :]))) ** 2
    return 10 * np.log10(power + 1e-6)


def _average_spectrum(log_power: Floats, direction: str) -> Floats:
    """Average over rings of frequency 1 ... CROP/2 - 1, over all angles or in a wedge about one axis."""
    axis = np.arange(CROP) - CROP // 2
    frequency = np.hypot(axis[:, None], axis[None, :])
    tilt = np.degrees(np.arctan2(np.abs(axis[:, None]), np.abs(axis[None, :])))
    wedge = {"radial": tilt >= 0, "lateral": tilt <= WEDGE_DEGREES, "axial": tilt >= 90 - WEDGE_DEGREES}[direction]
    ring = np.round(frequency).astype(int)
    return np.array([log_power[(ring == step) & wedge].mean() for step in range(1, CROP // 2)])


def _measure(a: _Summary, b: _Summary) -> pd.DataFrame:
    grey = np.arange(256)
    rows: list[tuple[str, str, float]] = [
        ("grey levels inside", "grey levels", wasserstein_distance(grey, grey, a.inside, b.inside)),
        ("grey levels around", "grey levels", wasserstein_distance(grey, grey, a.around, b.around)),
    ]
    for column, name in enumerate(("mean inside", "mean around", "contrast")):
        values = [part.means[:, column][np.isfinite(part.means[:, column])] for part in (a, b)]
        rows.append((name, "grey levels", wasserstein_distance(*values)))
    for name, spectrum in a.spectra.items():
        distance = float(np.sqrt(np.mean((spectrum - b.spectra[name]) ** 2)))
        rows += [(f"{name} spectrum", "dB", distance)]
    return pd.DataFrame(rows, columns=["measure", "unit", "distance"])


def _tabulate_spectra(simulated: _Summary, real: _Summary) -> pd.DataFrame:
    parts = [
        pd.DataFrame(
            {
                "direction": name,
                "frequency": np.arange(1, CROP // 2),
                "simulated_db": simulated.spectra[name],
                "real_db": real.spectra[name],
            }
        )
        for name in simulated.spectra
    ]
    return pd.concat(parts, ignore_index=True)

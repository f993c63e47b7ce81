"""Images that are no ultrasound, by where they come from: photos, CT and MRI slices, text, charts, screens, noise.

What training packages ship is taken where they are installed (tests/requirements.txt): scikit-image's photos, the
volumes of nilearn and nibabel.
"""

import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import matplotlib as mpl
import matplotlib.style
import numpy as np
import pydicom
import pydicom.data
from matplotlib.figure import Figure
from PIL import Image, ImageDraw, ImageFilter, ImageFont
from sklearn.datasets import load_sample_images

from core.errors import UsageError

_SLICES = ("693_J2KI", "J2K_pixelrep_mismatch", "examples_overlay", "JPGExtended", "JPEG2000", "CT_small", "MR_small")
_PHOTOS = (
    *("astronaut", "brick", "camera", "cell", "chelsea", "chessboard_GRAY", "clock_motion", "coffee", "coins", "color"),
    *("grass", "gravel", "horse", "hubble_deep_field", "ihc", "logo", "microaneurysms", "moon", "motorcycle_left"),
    *("page", "phantom", "retina", "rocket", "text"),
)
_VOLUMES = ("anatomical.nii", "functional.nii", "example4d.nii.gz")
_WORDS = (
    "patient",
    "seen",
    "clinic",
    "today",
    "lesion",
    "upper outer",
    "quadrant",
    "left breast",
    "follow up",
    "months",
)
_VIEWS = 8
CHANGES = ("blurred", "inverted", "darker", "speckled", "in a sector")
PACKAGES = ("skimage", "nilearn", "nibabel")
SMALLEST = 96


@dataclass(frozen=True)
class Other:
    """An image that is no ultrasound."""

    kind: str  # what it shows, and where it is from
    name: str  # the photograph, slice, volume or drawing that it is a view of
    pixels: np.ndarray  # uint8, grey or in colour


def list_others(seed: int = 7) -> Iterator[Other]:
    """Give images that are no ultrasound, most of them changed as exports, screens and cameras would."""
    rng = np.random.default_rng(seed)
    yield from _vary(_list_plain(rng), rng)


def _list_plain(rng: np.random.Generator) -> Iterator[Other]:
    skimage, nilearn, nibabel = (_find_package(name) for name in PACKAGES)
    shipped = Path(mpl.get_data_path()) / "sample_data"
    photos: dict[str, dict[str, Image.Image]] = {
        "photo, scikit-learn": {str(i): Image.fromarray(photo) for i, photo in enumerate(load_sample_images().images)},
        "photo, matplotlib": {name: Image.open(shipped / name) for name in ("grace_hopper.jpg", "logo2.png")},
        "photo, scikit-image": {name: Image.open(next((skimage / "data").glob(f"{name}.*"))) for name in _PHOTOS},
        "CT, MRI and scintigraphy, pydicom": dict(show_slices()),
    }
    for kind, images in photos.items():
        for name, image in images.items():
            yield from (Other(kind, name, view) for view in cut_views(image, _VIEWS, rng))
    volumes = {
        "MRI, nilearn": [nilearn / "datasets/data/mni_icbm152_t1_tal_nlin_sym_09a_converted.nii.gz"],
        "MRI, nibabel": [nibabel / "tests/data" / name for name in _VOLUMES],
    }
    for kind, paths in volumes.items():
        for path in paths:
            yield from (Other(kind, path.name, view) for view in slice_volume(path, rng))
    drawn = {
        "page of text": draw_pages(60, rng),
        "chart": draw_charts(48, rng),
        "screen": draw_screens(40, rng),
        "noise": draw_noise(45, rng),
    }
    for kind, drawings in drawn.items():
        yield from (Other(kind, str(number), drawing) for number, drawing in enumerate(drawings))


def _vary(others: Iterable[Other], rng: np.random.Generator) -> Iterator[Other]:
    """Give each image, and each of them once more after one of `CHANGES`."""
    for number, other in enumerate(others):
        yield other
        changed = change_other(other.pixels, CHANGES[number % len(CHANGES)], rng)
        yield Other(other.kind, other.name, changed)


def change_other(pixels: np.ndarray, change: str, rng: np.random.Generator) -> np.ndarray:
    """Change an image that is no ultrasound, so that it looks more like some; uint8 (height, width)."""
    image = Image.fromarray(pixels).convert("L")
    if change == "blurred":
        return np.asarray(image.filter(ImageFilter.GaussianBlur(float(rng.uniform(1, 5)))))
    if change == "inverted":
        return 255 - np.asarray(image)
    grey = np.asarray(image, dtype=np.float64)
    if change == "darker":
        return (grey * rng.uniform(0.3, 0.7)).astype(np.uint8)
    if change == "speckled":
        grain = rng.rayleigh(0.8, grey.shape)
        return (grey * (0.4 + 0.6 * grain)).clip(0, 255).astype(np.uint8)
    return np.where(_draw_sector(image.width, image.height, rng), grey, 0).astype(np.uint8)


def _draw_sector(width: int, height: int, rng: np.random.Generator) -> np.ndarray:
    """Give the fan that a curved probe shows, bool (height, width)."""
    y, x = np.mgrid[:height, :width]
    apex = -height * rng.uniform(0.05, 0.6)
    angle = np.abs(np.arctan2(x - width / 2, y - apex))
    radius = np.hypot(x - width / 2, y - apex)
    return (angle < rng.uniform(0.35, 0.8)) & (radius > -apex + 0.02 * height) & (radius < height - apex)


def _find_package(name: str) -> Path:
    spec = find_spec(name)
    if spec is None or spec.origin is None:
        raise UsageError(f"The images that are no ultrasound need the package {name}: install tests/requirements.txt.")
    return Path(spec.origin).parent


def cut_views(photo: Image.Image, count: int, rng: np.random.Generator) -> Iterator[np.ndarray]:
    """Give the whole image and parts of it, at 300 to 700 pixels, every fourth compressed."""
    photo = photo.convert("RGB")
    for number in range(count):
        share = 1.0 if number == 0 else rng.uniform(0.4, 1)
        width, height = int(photo.width * share), int(photo.height * share)
        x, y = (int(rng.integers(0, room + 1)) for room in (photo.width - width, photo.height - height))
        scale = rng.uniform(300, 700) / max(width, height)
        size = max(SMALLEST, round(width * scale)), max(SMALLEST, round(height * scale))
        part = photo.crop((x, y, x + width, y + height)).resize(size, Image.Resampling.BICUBIC)
        yield np.asarray(_compress(part, int(rng.integers(30, 80))) if number % 4 == 3 else part)


def show_slices() -> Iterator[tuple[str, Image.Image]]:
    """CT, MRI and scintigraphy slices of pydicom by name, under two windows each."""
    folder = Path(pydicom.data.__file__).parent / "test_files"
    for name in _SLICES:
        values = pydicom.dcmread(folder / f"{name}.dcm").pixel_array.astype(float)
        for low, high in ((1, 99), (50, 99)):
            yield f"{name}, {low} to {high} %", _window(values, *np.percentile(values, (low, high)))


def slice_volume(path: Path, rng: np.random.Generator) -> Iterator[np.ndarray]:
    """Slices of a volume along its three axes, with more or less noise, at 300 to 700 pixels."""
    import nibabel  # noqa: PLC0415 - a training requirement

    volume: np.ndarray = np.asarray(nibabel.load(path).dataobj, dtype=np.float64)  # type: ignore[attr-defined]
    volume = volume[..., 0] if volume.ndim == 4 else volume
    top = np.percentile(volume, 99.5)
    for axis in range(3):
        for place in np.linspace(0.25, 0.75, 10):
            level = np.rot90(np.take(volume, int(place * volume.shape[axis]), axis=axis))
            noisy = level + rng.normal(0, rng.choice([0, 0.02, 0.05]) * top, level.shape)
            yield next(cut_views(_window(noisy, 0, top), 1, rng))


def draw_pages(count: int, rng: np.random.Generator) -> Iterator[np.ndarray]:
    """Pages of text, dark on white or light on black, straight or turned, half of them noisy and compressed."""
    for number in range(count):
        ground, ink = (15, 235) if number % 3 == 0 else (250, 20)
        page = Image.new("L", (int(rng.integers(400, 900)), int(rng.integers(400, 900))), ground)
        font = ImageFont.load_default(int(rng.integers(10, 24)))
        for y in range(10, page.height - 20, round(1.4 * float(font.size))):  # type: ignore[union-attr]
            ImageDraw.Draw(page).text((12, y), " ".join(rng.choice(_WORDS, 14)), fill=ink, font=font)
        if number % 2:
            page = page.rotate(rng.uniform(-3, 3), fillcolor=ground)
            noisy = np.asarray(page) + rng.normal(0, 6, (page.height, page.width))
            page = _compress(Image.fromarray(noisy.clip(0, 255).astype(np.uint8)), 80)
        yield np.asarray(page)


def draw_charts(count: int, rng: np.random.Generator) -> Iterator[np.ndarray]:
    """Lines, bars, points and grids, on white or on black."""
    for number in range(count):
        with mpl.style.context("dark_background" if number % 3 == 0 else "default"):
            figure = Figure(figsize=(5, 4), dpi=100)
            axes = figure.subplots()
            kind = number % 4
            if kind == 0:
                axes.plot(rng.normal(size=(100, 3)).cumsum(0))
            elif kind == 1:
                axes.bar(range(8), rng.random(8))
            elif kind == 2:
                axes.plot(*rng.normal(size=(2, 2000)), ".", markersize=2)
            else:
                axes.imshow(rng.random((12, 12)), cmap="gray")
            stream = io.BytesIO()
            figure.savefig(stream)
        yield np.asarray(Image.open(stream).convert("RGB"))


def draw_screens(count: int, rng: np.random.Generator) -> Iterator[np.ndarray]:
    """Windows of programs: bars, panels, lists and buttons, light and dark."""
    for number in range(count):
        light = number % 2 == 0
        ground, panel, ink = (245, 225, 40) if light else (28, 48, 215)
        screen = Image.new("L", (800, 560), ground)
        draw = ImageDraw.Draw(screen)
        draw.rectangle((0, 0, 800, 36), fill=panel)
        draw.rectangle((0, 36, int(rng.integers(120, 240)), 560), fill=panel)
        for _ in range(int(rng.integers(6, 16))):
            x, y = int(rng.integers(20, 600)), int(rng.integers(50, 500))
            draw.rounded_rectangle(
                (x, y, x + int(rng.integers(60, 200)), y + int(rng.integers(20, 120))), 6, outline=ink
            )
            draw.text((x + 8, y + 6), " ".join(rng.choice(_WORDS, 3)), fill=ink)
        yield np.asarray(screen)


def draw_noise(count: int, rng: np.random.Generator) -> Iterator[np.ndarray]:
    """White and smoothed noise, and ramps."""
    for number in range(count):
        image = Image.fromarray(rng.integers(0, 256, (300, 300), dtype=np.uint8))
        if number % 3 == 1:
            image = image.filter(ImageFilter.GaussianBlur(float(rng.uniform(2, 6))))
        if number % 3 == 2:
            image = Image.fromarray(np.add.outer(np.arange(300), np.arange(300)).astype(np.uint8))
        yield np.asarray(image)


def _window(values: np.ndarray, low: float, high: float) -> Image.Image:
    return Image.fromarray((np.clip((values - low) / max(high - low, 1e-9), 0, 1) * 255).astype(np.uint8))


def _compress(image: Image.Image, quality: int) -> Image.Image:
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=quality)
    return Image.open(stream)

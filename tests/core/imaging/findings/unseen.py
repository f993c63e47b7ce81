"""Images that are no breast ultrasound, from other sources than those of `core.training.not_ultrasound`.

They need scikit-image, nilearn and matplotlib, which nothing else here does: `uv pip install scikit-image nilearn
matplotlib`.
"""

import warnings
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import numpy as np
import pydicom
import pydicom.data
from PIL import Image, ImageDraw, ImageFont
from pydicom.pixels import apply_color_lut

from tests.core.imaging.samples import encode

_PHOTOS = (
    "coffee camera astronaut gravel brick motorcycle_left hubble_deep_field moon grass retina ihc cell rocket "
    "microaneurysms chelsea coins clock_motion horse"
)
_WORDS = "the patient was seen in clinic today lesion upper outer quadrant left breast follow up in six months"
_ULTRASOUND = ("examples_jpeg2k", "examples_palette", "examples_rgb_color", "examples_ybr_color")
_SHIPPED = Path(pydicom.data.__file__).parent / "test_files"


def make_photos(seed: int = 1) -> Iterator[bytes]:
    """Six crops of each photo of scikit-image, in colour and in grey, as PNG and as JPEG."""
    import skimage

    rng = np.random.default_rng(seed)
    for name in _PHOTOS.split():
        photo = Image.open(next((Path(skimage.__file__).parent / "data").glob(f"{name}.*"))).convert("RGB")
        for view in range(6):
            share, side = rng.uniform(0.5, 1), rng.uniform(300, 700)
            width, height = int(photo.width * share), int(photo.height * share)
            x, y = rng.integers(0, photo.width - width + 1), rng.integers(0, photo.height - height + 1)
            crop = photo.convert("RGB" if view % 2 else "L").crop((x, y, x + width, y + height))
            scale = side / max(width, height)
            crop = crop.resize((round(width * scale), round(height * scale)), Image.Resampling.BICUBIC)
            yield encode(np.asarray(crop), "JPEG", quality=85) if view < 3 else encode(np.asarray(crop))


def make_slices(seed: int = 2) -> Iterator[bytes]:
    """Slices of the MRI template of nilearn along three axes, half of them with noise."""
    import nibabel
    import nilearn

    path = Path(nilearn.__file__).parent / "datasets/data/mni_icbm152_t1_tal_nlin_sym_09a_converted.nii.gz"
    volume = np.asarray(nibabel.load(path).dataobj, float)
    volume /= np.percentile(volume, 99.5)
    rng = np.random.default_rng(seed)
    for axis in range(3):
        for number, place in enumerate(np.linspace(0.25, 0.75, 12)):
            level = np.rot90(np.take(volume, int(place * volume.shape[axis]), axis=axis))
            level = level + rng.normal(0, 0.02, level.shape) * (number % 2)
            image, scale = Image.fromarray((level.clip(0, 1) * 255).astype(np.uint8)), rng.uniform(1, 2.5)
            size = round(image.width * scale), round(image.height * scale)
            yield encode(np.asarray(image.resize(size, Image.Resampling.BICUBIC)))


def make_pages(seed: int = 3) -> Iterator[bytes]:
    """Letters as scanned or photographed: turned, noisy, dark on light or light on dark."""
    rng = np.random.default_rng(seed)
    for number in range(30):
        dark = number % 3 == 0
        ground, ink, size = (15, 235, 10) if dark else (250, 20, 12)
        page = Image.new("L", (int(rng.integers(400, 900)), int(rng.integers(400, 900))), ground)
        font = ImageFont.load_default(size + int(rng.integers(0, 12)))
        for y in range(10, page.height - 20, int(1.4 * font.size)):
            ImageDraw.Draw(page).text((12, y), " ".join(rng.choice(_WORDS.split(), 14)), fill=ink, font=font)
        if number % 2:
            page = page.rotate(rng.uniform(-3, 3), fillcolor=ground)
        noisy = np.asarray(page) + rng.normal(0, 6, (page.height, page.width)) * (number % 2)
        yield encode(noisy.clip(0, 255).astype(np.uint8), "JPEG", quality=80)


def make_charts(seed: int = 4) -> Iterator[bytes]:
    """Charts of matplotlib: lines, bars, points, images."""
    import matplotlib as mpl
    import matplotlib.pyplot as plt

    mpl.use("Agg")
    rng = np.random.default_rng(seed)
    for number in range(24):
        figure, axes = plt.subplots(figsize=(5, 4), dpi=100)
        if number % 4 == 0:
            axes.plot(rng.normal(size=(100, 3)).cumsum(0))
        elif number % 4 == 1:
            axes.bar(range(8), rng.random(8))
        elif number % 4 == 2:
            axes.scatter(*rng.normal(size=(2, 2000)), s=3)
        else:
            axes.hist2d(*rng.normal(size=(2, 20_000)), bins=60, cmap="gray")
        stream = BytesIO()
        figure.savefig(stream)
        plt.close(figure)
        yield stream.getvalue()


def make_other_organs() -> Iterator[bytes]:
    """Ultrasound of other organs that pydicom ships, as PNG: three stills and every third frame of a loop."""
    warnings.simplefilter("ignore")
    for name in _ULTRASOUND:
        ds = pydicom.dcmread(_SHIPPED / f"{name}.dcm")
        pixels = ds.pixel_array
        if name == "examples_palette":
            pixels = (apply_color_lut(pixels, ds) >> 8).astype(np.uint8)
        for frame in pixels[::3] if pixels.ndim == 4 else [pixels]:
            yield encode(frame)


def read_other_organs() -> Iterator[bytes]:
    """The same as the DICOM files that they are."""
    for name in _ULTRASOUND:
        yield (_SHIPPED / f"{name}.dcm").read_bytes()


def make_unseen() -> dict[str, list[bytes]]:
    """All kinds, by name."""
    return {
        "photos (scikit-image)": list(make_photos()),
        "MRI slices (nilearn)": list(make_slices()),
        "pages of text": list(make_pages()),
        "charts (matplotlib)": list(make_charts()),
        "other organs' ultrasound as PNG (pydicom)": list(make_other_organs()),
        "other organs' ultrasound as DICOM (pydicom)": list(read_other_organs()),
    }

"""Images that are no ultrasound: photos, CT and MRI slices, pages of text, charts, noise and drawings."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pydicom
import pydicom.data
from PIL import Image, ImageDraw, ImageFilter
from sklearn.datasets import load_sample_images

_SLICES = ("693_J2KI.dcm", "J2K_pixelrep_mismatch.dcm", "examples_overlay.dcm", "JPGExtended.dcm", "CT_small.dcm")


def make_photos(count: int, seed: int) -> Iterator[np.ndarray]:
    """Colour and grey patches of two photographs, 300 x 300, at two magnifications."""
    rng = np.random.default_rng(seed)
    photos = [Image.fromarray(photo) for photo in load_sample_images().images]
    for number in range(count):
        photo, side = photos[number % 2], int(rng.choice([220, 400]))
        x, y = int(rng.integers(0, photo.width - side)), int(rng.integers(0, photo.height - side))
        patch = photo.crop((x, y, x + side, y + side)).resize((300, 300), Image.Resampling.BICUBIC)
        yield np.asarray(patch if number % 4 < 2 else patch.convert("L"))


def make_slices() -> Iterator[np.ndarray]:
    """CT, MRI and scintigraphy slices of pydicom, displayed from their 1st to their 99th percentile."""
    folder = Path(pydicom.data.__file__).parent / "test_files"
    for name in _SLICES:
        values = pydicom.dcmread(folder / name).pixel_array.astype(float)
        low, high = np.percentile(values, (1, 99))
        shown = Image.fromarray((np.clip((values - low) / max(high - low, 1), 0, 1) * 255).astype(np.uint8))
        for turned in (shown, shown.transpose(Image.Transpose.ROTATE_90), shown.resize((400, 400))):
            yield np.asarray(turned)


def make_pages(count: int, seed: int) -> Iterator[np.ndarray]:
    """Pages of words, dark on white or light on black."""
    rng = np.random.default_rng(seed)
    for number in range(count):
        page = Image.new("L", (420, 320), 255 if number % 2 else 10)
        draw = ImageDraw.Draw(page)
        for y in range(8, 310, int(rng.integers(12, 22))):
            words = " ".join("".join(rng.choice(list("abcdefghiklmnopqrstuvwxyz"), 6)) for _ in range(9))
            draw.text((8, y), words, fill=20 if number % 2 else 230)
        yield np.asarray(page)


def make_charts(count: int, seed: int) -> Iterator[np.ndarray]:
    """Bars and lines on white, in colour."""
    rng = np.random.default_rng(seed)
    for _ in range(count):
        chart = Image.new("RGB", (400, 300), (255, 255, 255))
        draw = ImageDraw.Draw(chart)
        for x in range(20, 380, 30):
            draw.rectangle((x, int(rng.integers(40, 260)), x + 20, 280), fill=tuple(rng.integers(0, 255, 3).tolist()))
        draw.line([(x, int(rng.integers(20, 280))) for x in range(0, 400, 20)], fill=(200, 30, 30), width=2)
        yield np.asarray(chart)


def make_noise(count: int, seed: int) -> Iterator[np.ndarray]:
    """White and smoothed noise, and ramps."""
    rng = np.random.default_rng(seed)
    for number in range(count):
        image = Image.fromarray(rng.integers(0, 256, (300, 300), dtype=np.uint8))
        if number % 3 == 1:
            image = image.filter(ImageFilter.GaussianBlur(float(rng.uniform(2, 6))))
        if number % 3 == 2:
            image = Image.fromarray(np.add.outer(np.arange(300), np.arange(300)).astype(np.uint8))
        yield np.asarray(image)


def make_others(seed: int = 7) -> dict[str, list[np.ndarray]]:
    """All kinds, by name."""
    return {
        "photo": list(make_photos(60, seed)),
        "slice": list(make_slices()),
        "page": list(make_pages(20, seed)),
        "chart": list(make_charts(20, seed)),
        "noise": list(make_noise(15, seed)),
    }

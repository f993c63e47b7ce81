"""Writing that a person can read on ultrasound, and what a copy that names nobody does with it.

`python -m tests.core.imaging.decoding.writing [FOLDER]` prints the table of the imaging README; FOLDER holds real
images, in place of made speckle.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from core.imaging.decoding.hiding import find_faint, hide_identity
from core.imaging.frame import Roi
from tests.core.imaging.samples import make_speckle

TEXT = "WELLINGTON A. 12.03.62"
FONTS = ("default", "DejaVuSansMono.ttf", "DejaVuSerif.ttf")
SIZES = (10, 14, 20)
CONTRASTS = (10, 20, 30, 40, 60)
TURNS = (0, 90, 270)
GROUNDS = ("black", "dark tissue", "tissue")
CODES = ("barcode", "upright barcode", "QR code")
SHAPE, TISSUE = (360, 480), 340
_SHOWN = 0.3


def draw_text(font: str, size: int, turn: int) -> np.ndarray:
    """Opacity of a line of text; 0 to 1."""
    face = ImageFont.load_default(size) if font == "default" else ImageFont.truetype(font, size)
    left, top, right, bottom = (int(edge) for edge in face.getbbox(TEXT))
    line = Image.new("L", (right - left + 2, bottom - top + 2))
    ImageDraw.Draw(line).text((1 - left, 1 - top), TEXT, fill=255, font=face)
    return np.asarray(line.rotate(turn, expand=True)) / 255


def draw_code(kind: str, rng: np.random.Generator) -> np.ndarray:
    """Opacity of a barcode's or QR code's white modules, with its quiet zone."""
    if kind == "QR code":
        modules = rng.random((25, 25)) < 0.5
        for y, x in ((0, 0), (0, 18), (18, 0)):
            modules[y : y + 7, x : x + 7] = False
            modules[y + 1 : y + 6, x + 1 : x + 6] = True
            modules[y + 2 : y + 5, x + 2 : x + 5] = False
        return np.pad(np.kron(modules, np.ones((3, 3))), 6, constant_values=1.0)
    widths = rng.integers(1, 4, 61)
    bars = np.repeat(np.arange(61) % 2, widths).astype(float)
    code = np.pad(np.tile(np.repeat(bars, 2), (40, 1)), ((3, 3), (12, 12)), constant_values=1.0)
    return code if kind == "barcode" else code.T


def make_grounds(folder: Path | None, count: int) -> Iterator[np.ndarray]:
    """Tissue with a black part at the right, as beside a sector within its region."""
    files = sorted(folder.rglob("*.png"))[5::97] if folder else []
    for seed in range(count):
        if files:
            picture = np.asarray(Image.open(files[seed % len(files)]).convert("L").resize((TISSUE, SHAPE[0])))
        else:
            picture = make_speckle(SHAPE[0], TISSUE, seed + 1)
        yield np.pad(picture, ((0, 0), (0, SHAPE[1] - TISSUE)))


def place(ground: np.ndarray, ink: np.ndarray, kind: str, contrast: int) -> np.ndarray:
    """Draw at a contrast over the mean of the ground below it; shape of the ground."""
    frame = ground * np.where(np.arange(SHAPE[1]) < TISSUE, 0.35 if kind == "dark tissue" else 1, 1)
    room = SHAPE[1] - TISSUE - 12
    ink = ink[:300, :room] if kind == "black" else ink[:300, :290]
    y, x = (20, TISSUE + 10) if kind == "black" else (40, 30)
    part = frame[y : y + ink.shape[0], x : x + ink.shape[1]]
    part[:] = part * (1 - ink) + (part.mean() + contrast) * ink
    return np.round(frame.clip(0, 255)).astype(np.uint8)


def is_hidden(frame: np.ndarray, plain: np.ndarray) -> bool:
    """Whether most of the strokes by which a frame differs from the plain one are black in its copy."""
    risen = frame.astype(int) - plain
    box = Roi(0, 0, frame.shape[1], frame.shape[0])
    kept, _, _ = hide_identity(frame, [box], are_named=True, faint=find_faint(frame))
    return bool((kept[risen >= risen.max() / 2] > 0).mean() < _SHOWN)


def list_inks(rng: np.random.Generator) -> Iterator[tuple[str, np.ndarray]]:
    """Give all that is drawn, by its kind."""
    for font in FONTS:
        for size in SIZES:
            for turn in TURNS:
                yield "turned text" if turn else "text", draw_text(font, size, turn)
    for kind in CODES:
        yield kind, draw_code(kind, rng)


def measure(folder: Path | None, count: int) -> dict[tuple[str, str, int], list[bool]]:
    """Whether each drawing was hidden, by kind, ground and contrast."""
    found: dict[tuple[str, str, int], list[bool]] = {}
    for ground in make_grounds(folder, count):
        for kind in GROUNDS:
            plain = place(ground, np.zeros((1, 1)), kind, 0)
            for name, ink in list_inks(np.random.default_rng(1)):
                for contrast in CONTRASTS:
                    frame = place(ground, ink, kind, contrast)
                    found.setdefault((name, kind, contrast), []).append(is_hidden(frame, plain))
    return found


def main() -> None:
    """Print the table."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else None
    found = measure(folder, 2)
    for name in dict.fromkeys(name for name, _, _ in found):
        for kind in GROUNDS:
            shares = [found[name, kind, contrast] for contrast in CONTRASTS]
            cells = " | ".join(f"{sum(hidden)} of {len(hidden)}" for hidden in shares)
            sys.stdout.write(f"| {name} | {kind} | {cells} |\n")


if __name__ == "__main__":
    main()

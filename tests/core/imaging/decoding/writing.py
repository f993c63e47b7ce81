"""Writing that a person can read on ultrasound, and what a copy that names nobody does with it.

`python -m tests.core.imaging.decoding.writing FOLDER [FOLDER ...]` prints the table of the imaging README; the folders
hold real images, taken in turn.
"""

import sys
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from core.imaging.decoding.hiding import find_faint, hide_identity
from core.imaging.frame import Roi
from tests.core.imaging.samples import make_speckle

TEXTS = ("WELLINGTON A. 12.03.62", "Müller, Eva", "PID 0047113", "St. Mary Hospital", "4711-0815", "F 54Y")
FONTS = ("DejaVuSans.ttf", "DejaVuSansMono.ttf", "NimbusRoman-Regular.otf", "NimbusSans-Bold.otf", "default")
SIZES, TURNS, SLANTS = (10, 12, 14, 18, 24), (0, 90, 270), (-30, -15, 12, 20, 45)
CONTRASTS = (10, 20, 30, 40, 60)
CODES = ("barcode", "upright barcode", "QR code")
COLOURS = ((255, 255, 0), (255, 60, 60), (60, 255, 60), (0, 255, 255))
SHAPE, FRAMES, DRAWINGS = (320, 400), 12, 8
STILLS = (
    *("white", "45 above", "25 above", "black", "black on a white field", "in colour", "on coloured flow", "turned"),
    *("turned, 45 above", "slanted", "JPEG, white", "JPEG, 45 above", *CODES, "QR code, 35 above"),
)
LOOPS = ("45 above", "25 above", "15 above", "black", "turned, 25 above", "slanted, 25 above", *CODES, "JPEG, 25 above")
_SHOWN = 0.3


def draw_text(font: str, size: int, turn: int, text: str = TEXTS[0]) -> np.ndarray:
    """Opacity of a line of text; 0 to 1."""
    face = ImageFont.load_default(size) if font == "default" else ImageFont.truetype(font, size)
    left, top, right, bottom = (int(edge) for edge in face.getbbox(text))
    line = Image.new("L", (right - left + 2, bottom - top + 2))
    ImageDraw.Draw(line).text((1 - left, 1 - top), text, fill=255, font=face)
    return np.asarray(line.rotate(turn, Image.Resampling.BICUBIC, expand=True)) / 255


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


def place(ground: np.ndarray, ink: np.ndarray, at: tuple[int, int], value: object) -> np.ndarray:
    """Draw ink of a level or colour on a frame, at row and column."""
    frame = ground.astype(float)
    part = frame[at[0] : at[0] + ink.shape[0], at[1] : at[1] + ink.shape[1]]
    ink = ink[: part.shape[0], : part.shape[1]]
    ink = ink if frame.ndim == 2 else ink[..., None]
    part[:] = part * (1 - ink) + np.asarray(value, float) * ink
    return frame.clip(0, 255).round().astype(np.uint8)


def move(ground: np.ndarray, rng: np.random.Generator, count: int = FRAMES) -> list[np.ndarray]:
    """A loop of an image: a probe that moves by a pixel or two a frame, and noise."""
    height, width = ground.shape
    wide, frames = np.pad(ground, 12, mode="reflect"), []
    for down, right in np.cumsum(rng.normal(0, 1.2, (count, 2)), axis=0).round().clip(-11, 11).astype(int):
        shown = wide[12 + down : 12 + down + height, 12 + right : 12 + right + width]
        frames.append((shown * (1 + rng.normal(0, 0.06, shown.shape))).clip(0, 255).round().astype(np.uint8))
    return frames


def add_flow(ground: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Coloured flow of both directions in the middle of an image."""
    height, width = ground.shape
    rough = rng.normal(0, 1.2, (height // 8 + 1, width // 8 + 1)).astype(np.float32)
    speed = np.asarray(Image.fromarray(rough).resize((width, height), Image.Resampling.BICUBIC)).clip(-1, 1)
    strong, fast = 120 + 130 * np.abs(speed), 140 * (np.abs(speed) - 0.3).clip(0)
    hues = np.where(speed[..., None] > 0, np.dstack([strong, fast, 0 * fast]), np.dstack([0 * fast, fast, strong]))
    y, x = np.ogrid[:height, :width]
    inside = ((y / height - 0.5) / 0.2) ** 2 + ((x / width - 0.5) / 0.22) ** 2 < 1
    return np.where((inside & (np.abs(speed) > 0.12))[..., None], hues, ground[..., None]).round().astype(np.uint8)


def draw(kind: str, ground: np.ndarray, rng: np.random.Generator, *, loop: bool) -> tuple[list[np.ndarray], np.ndarray]:
    """Frames with a drawing of a kind on an image, and its strokes; shape of the image."""
    code, above = next((name for name in reversed(CODES) if name in kind), ""), kind.rpartition(" above")[0][-2:]
    turn = rng.choice(TURNS[1:]) if "turned" in kind else rng.choice(SLANTS) if "slanted" in kind else 0
    text = draw_text(str(rng.choice(FONTS)), int(rng.choice(SIZES)), int(turn), str(rng.choice(TEXTS)))
    ink = (draw_code(code, rng) if code else text)[: SHAPE[0] - 20, : ground.shape[1] - 20]
    room = (ground.shape[0] - ink.shape[0] - 8, ground.shape[1] - ink.shape[1] - 8)
    at = (
        (room[0] // 2, room[1] // 2)
        if "flow" in kind
        else (4 + int(rng.integers(room[0])), 4 + int(rng.integers(room[1])))
    )
    inside = slice(at[0], at[0] + ink.shape[0]), slice(at[1], at[1] + ink.shape[1])
    value = float(ground[inside].mean()) + int(above) if above else 0 if kind.startswith("black") else 255
    frames = move(ground, rng) if loop else [add_flow(ground, rng) if "flow" in kind else ground]
    field = 210 if "field" in kind else 5 if code and not above else None
    drawn = []
    for frame in frames:
        below = frame if field is None else place(frame, np.ones_like(ink), at, field)
        if "in colour" in kind:
            shown = place(np.dstack([below] * 3), ink, at, rng.choice(COLOURS))
        else:
            shown = place(below, ink, at, value)
        drawn.append(_compress(shown) if "JPEG" in kind else shown)
    return drawn, place(np.zeros(ground.shape), ink, at, 255) > 127


def _compress(frame: np.ndarray) -> np.ndarray:
    stream = BytesIO()
    Image.fromarray(frame).save(stream, "JPEG", quality=85)
    return np.asarray(Image.open(stream))


def hide(frames: list[np.ndarray]) -> Iterator[np.ndarray]:
    """Frames as their copy shows them, of a loop every sixth."""
    faint, box = find_faint(frames), Roi(0, 0, frames[0].shape[1], frames[0].shape[0])
    for frame in frames[::6]:
        yield hide_identity(frame, [box], are_named=True, faint=faint)[0]


def is_hidden(frames: list[np.ndarray], strokes: np.ndarray) -> bool:
    """Whether most of the strokes are black in the copy of each frame."""
    return all(
        bool((kept[strokes].reshape(strokes.sum(), -1).max(axis=1) > 0).mean() < _SHOWN) for kept in hide(frames)
    )


def load_grounds(folders: list[Path]) -> Iterator[np.ndarray]:
    """The middle of one image after another, of each folder in turn; made speckle without a folder."""
    files = [sorted(path for path in folder.rglob("images/*") if path.is_file()) for folder in folders]
    for number in range(10_000):
        if not files:
            yield make_speckle(*SHAPE, number + 1)
            continue
        row = files[number % len(files)]
        picture = np.asarray(Image.open(row[97 * number % len(row)]).convert("L"))
        top, left = (max(0, (have - want) // 2) for have, want in zip(picture.shape, SHAPE, strict=True))
        yield picture[top : top + SHAPE[0], left : left + SHAPE[1]]


def main() -> None:
    """Print the table, and how much of images is hidden on which nothing was drawn."""
    grounds, total, missed = load_grounds([Path(name) for name in sys.argv[1:]]), 0, 0
    for loop, kinds in ((False, STILLS), (True, LOOPS)):
        for kind in kinds:
            rng = np.random.default_rng(len(kind))
            found = [is_hidden(*draw(kind, next(grounds), rng, loop=loop)) for _ in range(DRAWINGS)]
            total, missed = total + len(found), missed + found.count(False)
            sys.stdout.write(f"| {'loop' if loop else 'still'} | {kind} | {found.count(False)} of {len(found)} |\n")
            sys.stdout.flush()
    sys.stdout.write(f"missed: {missed} of {total}\n")
    for loop in (False, True):
        shares = []
        for _ in range(30 if not loop else 10):
            plain = next(grounds)
            frames = move(plain, np.random.default_rng(1)) if loop else [plain]
            shares.append(
                np.mean(
                    [((k == 0) & (f > 8)).sum() / (f > 8).sum() for k, f in zip(hide(frames), frames[::6], strict=True)]
                )
            )
        sys.stdout.write(
            f"nothing drawn, {'loops' if loop else 'stills'}: {np.mean(shares):.2%} of the lit pixels hidden\n"
        )


if __name__ == "__main__":
    main()

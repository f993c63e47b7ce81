"""What a device writes around and over its image: text, depth ticks, grey bar, body mark, calipers, Doppler outline."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from core.simulation.devices import Device, View

NOTICE = "SYNTHETIC - NOT A PATIENT"
Bytes = NDArray[np.uint8]
Box = tuple[int, int, int, int]


@dataclass(frozen=True)
class Layout:
    """Where the B-mode image lies in the frame: left, top, width, height in pixels."""

    left: int
    top: int
    width: int
    height: int


def plan_layout(device: Device, view: View) -> Layout:
    """Place the image in the frame: centred, below the text."""
    width = round(view.width_mm / view.mm_per_px)
    return Layout((device.frame[0] - width) // 2, round(0.09 * device.frame[1]), width, device.image_height)


def compose_frame(
    rng: np.random.Generator, device: Device, view: View, image: Bytes, box: Box, size_mm: float
) -> Bytes:
    """Put the B-mode image, uint8 (height, width), into the device's frame and write on it.

    Calipers, which print the largest diameter, and the Doppler outline follow the lesion's box alone (x0, y0, x1, y1 in
    frame pixels, the last exclusive), and no drawing depends on any latent but size.
    """
    layout = plan_layout(device, view)
    frame = Image.new("L", device.frame, 0)
    frame.paste(Image.fromarray(image), (layout.left, layout.top))
    draw = ImageDraw.Draw(frame)
    _write(frame, (10, 6), f"{NOTICE}   {device.model}", 2)
    _write(
        frame,
        (10, 32),
        f"{device.probe} {device.f0_mhz:g} MHz  D {view.depth_mm / 10:.1f} cm  DR {device.dynamic_range_db:g}",
    )
    _draw_ticks(draw, device, view, layout)
    _draw_grey_bar(draw, device)
    _draw_body_mark(draw, device, rng)
    if rng.random() < device.text_rate:
        words = ("RIGHT BREAST", "LEFT BREAST", "AXILLA SIDE", "RADIAL", "TRANSVERSE")[rng.integers(5)]
        at = (layout.left + int(rng.uniform(0.05, 0.6) * layout.width), layout.top + int(0.93 * layout.height))
        _write(frame, at, words, 2)
    if rng.random() < device.caliper_rate:
        _draw_calipers(draw, box)
        _write(frame, (10, device.frame[1] - 30), f"+ {size_mm:.1f} mm", 2)
    if rng.random() < device.doppler_rate:
        pad = int(rng.integers(14, 30))
        draw.rectangle((box[0] - pad, box[1] - pad, box[2] + pad, box[3] + pad), outline=150)
    return np.asarray(frame)


def _write(frame: Image.Image, at: tuple[int, int], text: str, scale: int = 1) -> None:
    """Write in the device's bitmap letters (fixed in Pillow, so the same everywhere)."""
    font = ImageFont.load_default_imagefont()
    left, top, right, bottom = font.getbbox(text)
    letters = Image.new("L", (int(right - left), int(bottom - top)), 0)
    ImageDraw.Draw(letters).text((0, 0), text, fill=225, font=font)
    letters = letters.resize((letters.width * scale, letters.height * scale), Image.Resampling.NEAREST)
    frame.paste(letters, at, letters.point(lambda value: 255 if value else 0))


def _draw_ticks(draw: ImageDraw.ImageDraw, device: Device, view: View, layout: Layout) -> None:
    side = layout.left - 16 if device.ticks == "left" else layout.left + layout.width + 6
    for depth in range(0, int(view.depth_mm) + 1, 5):
        y = layout.top + round(depth / view.mm_per_px)
        draw.line((side, y, side + (10 if depth % 10 == 0 else 5), y), fill=220)


def _draw_grey_bar(draw: ImageDraw.ImageDraw, device: Device) -> None:
    right = device.frame[0] - 12
    for step in range(64):
        draw.line((right - 10, 60 + 2 * step, right, 60 + 2 * step), fill=255 - 4 * step, width=2)


def _draw_body_mark(draw: ImageDraw.ImageDraw, device: Device, rng: np.random.Generator) -> None:
    x, y = device.frame[0] - 62, device.frame[1] - 42
    draw.ellipse((x - 25, y - 25, x + 25, y + 25), outline=200)
    angle = rng.uniform(0, 2 * np.pi)
    tip = (x + 20 * np.cos(angle), y + 20 * np.sin(angle))
    draw.line((x + 11 * np.cos(angle), y + 11 * np.sin(angle), *tip), fill=235, width=3)


def _draw_calipers(draw: ImageDraw.ImageDraw, box: Box) -> None:
    x0, y0, x1, y1 = box[0], box[1], box[2] - 1, box[3] - 1
    x, y = (x0 + x1) // 2, (y0 + y1) // 2
    for at_x, at_y in ((x0, y), (x1, y), (x, y0), (x, y1)):
        draw.line((at_x - 6, at_y, at_x + 6, at_y), fill=240)
        draw.line((at_x, at_y - 6, at_x, at_y + 6), fill=240)

"""The ultrasound frame as a picture, with the lesion box."""

import base64
import io
from collections.abc import Sequence

import plotly.graph_objects as go
from PIL import Image, ImageDraw

from core.imaging import Frame, Roi
from core.inference.lesion import Lesion

BOX = "#FFD400"
OUTLINE = "#56B4E9"
BOX_EDGE = "#000000"
JPEG_QUALITY = 92


def render_frame(frame: Frame, roi: Roi, lesions: Sequence[Lesion] = ()) -> Image.Image:
    """Paint the lesion box and proposed outlines on the frame, edged in black, so that they show on black and on white.

    The box is yellow; outlines are light blue, and numbered from the first where there are several.
    """
    image = Image.fromarray(frame.pixels).convert("RGB")
    draw = ImageDraw.Draw(image)
    width = max(2, round(frame.width / 300))
    edges = (roi.x0, roi.y0, roi.x1 - 1, roi.y1 - 1)
    draw.rectangle(tuple(e + s * width for e, s in zip(edges, (-1, -1, 1, 1), strict=True)), outline=BOX_EDGE, width=1)
    draw.rectangle(edges, outline=BOX, width=width)
    for number, lesion in enumerate(lesions, start=1):
        _draw_outline(draw, lesion, width)
        if len(lesions) > 1:
            _draw_number(draw, lesion, str(number), frame)
    return image


def describe_frame(frame: Frame, roi: Roi) -> str:
    """Put a frame with its lesion box into words."""
    scale = "scale not known" if frame.mm_per_px is None else f"{frame.width * frame.mm_per_px:.0f} mm wide"
    return (
        f"Ultrasound image in grey, {frame.width} by {frame.height} pixels, {scale}, with a box of "
        f"{roi.width:.0f} by {roi.height:.0f} pixels around the lesion."
    )


def _draw_outline(draw: ImageDraw.ImageDraw, lesion: Lesion, width: int) -> None:
    points = [(float(x) - 0.5, float(y) - 0.5) for x, y in lesion.contour]
    for colour, thickness in ((BOX_EDGE, width + 2), (OUTLINE, width)):
        draw.line([*points, points[0]], fill=colour, width=thickness, joint="curve")


def _draw_number(draw: ImageDraw.ImageDraw, lesion: Lesion, number: str, frame: Frame) -> None:
    centre = ((lesion.box.x0 + lesion.box.x1) / 2, (lesion.box.y0 + lesion.box.y1) / 2)
    size = max(14, frame.width / 25)
    draw.text(centre, number, fill=OUTLINE, anchor="mm", font_size=size, stroke_width=2, stroke_fill=BOX_EDGE)


def encode_jpeg(image: Image.Image) -> bytes:
    """Write a picture as JPEG, small enough that a meeting's document can be sent."""
    buffer = io.BytesIO()
    image.save(buffer, format="JPEG", quality=JPEG_QUALITY, subsampling=0)
    return buffer.getvalue()


def add_frame(figure: go.Figure, frame: Frame, area: tuple[int, int, int, int]) -> None:
    """Lay a part of a frame under a figure whose axes are its pixels, y downwards."""
    left, top, right, bottom = area
    part = Image.fromarray(frame.pixels[top:bottom, left:right])
    figure.add_layout_image(
        source=f"data:image/jpeg;base64,{base64.b64encode(encode_jpeg(part)).decode('ascii')}",
        xref="x",
        yref="y",
        x=left,
        y=top,
        sizex=right - left,
        sizey=bottom - top,
        xanchor="left",
        yanchor="top",
        sizing="stretch",
        layer="below",
    )

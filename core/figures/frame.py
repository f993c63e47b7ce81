"""The ultrasound frame as a picture, with the lesion box."""

import base64
import io

import plotly.graph_objects as go
from PIL import Image, ImageDraw

from core.imaging import Frame, Roi

BOX = "#FFD400"
BOX_EDGE = "#000000"


def render_frame(frame: Frame, roi: Roi) -> Image.Image:
    """Paint the lesion box on the frame: yellow, dashed by dark corners, so that it shows on black and on white.

    Parameters
    ----------
    frame : Frame
        B-mode area.
    roi : Roi
        Lesion box in its pixels.

    Returns
    -------
    Image
        RGB, size of the frame.
    """
    image = Image.fromarray(frame.pixels).convert("RGB")
    draw = ImageDraw.Draw(image)
    width = max(2, round(frame.width / 300))
    edges = (roi.x0, roi.y0, roi.x1 - 1, roi.y1 - 1)
    draw.rectangle(tuple(e + s * width for e, s in zip(edges, (-1, -1, 1, 1), strict=True)), outline=BOX_EDGE, width=1)
    draw.rectangle(edges, outline=BOX, width=width)
    return image


def encode_png(image: Image.Image) -> bytes:
    """Write a picture as PNG."""
    buffer = io.BytesIO()
    image.save(buffer, format="PNG", compress_level=3)
    return buffer.getvalue()


def add_frame(figure: go.Figure, frame: Frame) -> None:
    """Lay a frame under a figure whose axes are its pixels, y downwards.

    Parameters
    ----------
    figure : Figure
        Changed in place.
    frame : Frame
        B-mode area.
    """
    source = base64.b64encode(encode_png(Image.fromarray(frame.pixels))).decode("ascii")
    figure.add_layout_image(
        source=f"data:image/png;base64,{source}",
        xref="x",
        yref="y",
        x=0,
        y=0,
        sizex=frame.width,
        sizey=frame.height,
        xanchor="left",
        yanchor="top",
        sizing="stretch",
        layer="below",
    )

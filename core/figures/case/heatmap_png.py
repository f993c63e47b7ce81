"""The heat map as a PNG file, with its scale and where it came from printed on it."""

import io
import textwrap
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from PIL.PngImagePlugin import PngInfo

from core.figures.case.frame import BOX
from core.figures.case.heatmap import OPACITY
from core.figures.drawing.traces import colour_signed
from core.figures.theme import LOWERS, RAISES
from core.imaging import Frame, Roi
from core.inference import Prediction, View, ViewEstimate
from core.inference.explain import compute_heatmap_limit, format_percent, spread_offset
from core.inference.render import describe_use
from models.bundle import Bundle

WIDTH = 900
MARGIN = 24
BAR = 18
LINE = 22
CHARACTERS = 105
PAPER, INK = "#FFFFFF", "#1D252C"


def render_view_heatmap(
    view: View, estimate: ViewEstimate, prediction: Prediction, bundle: Bundle, *, provenance: Mapping[str, str]
) -> bytes:
    """Paint a view's heat map with its scale, the probability, bundle, time (where known) and intended use below."""
    made = f", {provenance['created_utc']}" if provenance else ""
    captions = (
        f"Ki-67 high: {format_percent(prediction.probability)}. Influence on the model, not biology.",
        f"Bundle {bundle.name} {bundle.sha256[:12]}{made}",
        describe_use(bundle),
    )
    limit = compute_heatmap_limit(bundle.fusion_heads["m1"])
    return render_heatmap_png(
        view.frame, view.roi, estimate, limit=limit, opacity=OPACITY, captions=captions, provenance=provenance
    )


def render_heatmap_png(
    frame: Frame,
    roi: Roi,
    view: ViewEstimate,
    *,
    limit: float,
    opacity: float,
    captions: tuple[str, ...],
    provenance: Mapping[str, str],
) -> bytes:
    """Paint the heat map over the whole frame."""
    overlay = render_overlay(spread_offset(view), limit=limit, opacity=opacity, size=_area_size(view))
    picture = Image.fromarray(frame.pixels).convert("RGB")
    x0, y0 = (round(edge) for edge in view.reading.area[:2])
    picture.paste(overlay.convert("RGB"), (x0, y0), overlay.getchannel("A"))
    ImageDraw.Draw(picture).rectangle((roi.x0, roi.y0, roi.x1, roi.y1), outline=BOX, width=max(2, frame.width // 300))
    height = round(WIDTH * frame.height / frame.width)
    lines = [line for caption in captions for line in textwrap.wrap(_plain(caption), CHARACTERS)]
    sheet = Image.new("RGB", (WIDTH, height + 2 * MARGIN + BAR + LINE * (len(lines) + 2)), PAPER)
    sheet.paste(picture.resize((WIDTH, height)), (0, 0))
    _draw_scale(sheet, height + MARGIN, limit)
    font = ImageFont.load_default(16)
    for i, line in enumerate(lines):
        ImageDraw.Draw(sheet).text((MARGIN, height + MARGIN + BAR + LINE * (i + 2)), line, fill=INK, font=font)
    info = PngInfo()
    for key, text in provenance.items():
        info.add_text(key, text)
    buffer = io.BytesIO()
    sheet.save(buffer, format="PNG", pnginfo=info)
    return buffer.getvalue()


def render_overlay(heatmap: NDArray[np.float64], *, limit: float, opacity: float, size: tuple[int, int]) -> Image.Image:
    """Colour signed log-odds on the fixed scale and enlarge them: clear at zero, `opacity` at the ends; RGBA."""
    return colour_signed(heatmap / limit, LOWERS, RAISES, opacity, size)


def _area_size(view: ViewEstimate) -> tuple[int, int]:
    x0, y0, x1, y1 = view.reading.area
    return (max(1, round(x1 - x0)), max(1, round(y1 - y0)))


def _draw_scale(sheet: Image.Image, top: int, limit: float) -> None:
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(16)
    length = WIDTH - 2 * MARGIN
    bar = colour_signed(np.linspace(-1, 1, length)[None, :], LOWERS, RAISES, 1.0, (length, BAR))
    sheet.paste(bar.convert("RGB"), (MARGIN, top), bar.getchannel("A"))
    draw.rectangle((MARGIN, top, MARGIN + length, top + BAR), outline=INK)
    words = (
        (MARGIN, "la", f"{-limit:+.2f} log-odds, lowers"),
        (WIDTH // 2, "ma", "0"),
        (WIDTH - MARGIN, "ra", f"{limit:+.2f} log-odds, raises"),
    )
    for x, anchor, text in words:
        draw.text((x, top + BAR + 4), text, fill=INK, font=font, anchor=anchor)


def _plain(text: str) -> str:
    """Write no-break spaces as spaces: the picture's font has none."""
    return text.replace("\N{NO-BREAK SPACE}", " ")

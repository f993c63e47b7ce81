"""A view's heat map as the viewer lays it over the frame."""

from core.figures.case.heatmap import trace_contours
from core.figures.case.heatmap_png import render_overlay
from core.figures.theme import LOWERS, RAISES
from core.inference import ViewEstimate
from core.inference.explain import spread_offset
from core.ui.viewer.viewer import HeatLayer

SCALE = f"linear-gradient(90deg, {LOWERS}, transparent, {RAISES})"
OVERLAY_PX = 384


def lay_heatmap(view: ViewEstimate, *, limit: float, contours: bool = False) -> HeatLayer:
    """Colour a view's heat map for the viewer, and say in words what its scale means."""
    values = spread_offset(view)
    peak = float(values.flat[abs(values).argmax()])
    beyond = ", beyond the scale's end" if abs(peak) > limit else f" of {limit:.1f}"
    strongest = f"{peak:+.1f}".replace("-", "−") + beyond
    total = f"{values.mean():+.2f}".replace("-", "−")
    image = render_overlay(values, limit=limit, opacity=1.0, size=(OVERLAY_PX, OVERLAY_PX))
    legend = (
        f"lowers −{limit:.1f} · 0 · +{limit:.1f} raises, log-odds, same scale for every image\n"
        f"Strongest place {strongest}; sums to {total} "
        "(mean of the dotted square, which is all that the model saw)"
    )
    lines = trace_contours(view, limit) if contours else []
    labelled = [(f"{level:+.1f}".replace("-", "−"), line) for level, line in lines]
    return HeatLayer(image, view.reading.area, SCALE, legend, lines=labelled)

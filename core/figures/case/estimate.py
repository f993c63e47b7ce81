"""All figures of one estimate, as its document shows them."""

from collections.abc import Mapping

from core.figures.case.heatmap import describe_heatmap, plot_heatmap
from core.figures.case.nomogram import describe_nomogram, plot_nomogram
from core.figures.case.probability import describe_icons, describe_scale, plot_icons, plot_probability_scale
from core.figures.case.waterfall import describe_waterfall, plot_waterfall
from core.figures.rendering import Drawing
from core.inference import Case, Prediction, View, ViewEstimate
from core.inference.explain import compute_heatmap_limit, tabulate_contributions
from core.inference.points import score_points
from models.fusion import FusionHead

SCALE, ICONS, BARS, AXES, HEAT = 640, 230, 430, 720, 340
ROW, LINE = 34, 40


def draw_estimate(case: Case, prediction: Prediction, head: FusionHead) -> Mapping[str, Drawing]:
    """Draw what explains an estimate: "scale", "icons", "waterfall", "nomogram" and "heatmap"."""
    limit = compute_heatmap_limit(head)
    points = score_points(head, prediction.score, case.clinical)
    contributions = tabulate_contributions(prediction, case.clinical)
    unknown = sum(not term.known for term in points.terms)
    icons = plot_icons(prediction.probability).update_layout(showlegend=False, height=ICONS)
    return {
        "scale": Drawing(plot_probability_scale(prediction), SCALE, describe_scale(prediction)),
        "icons": Drawing(icons, ICONS, describe_icons(prediction.probability)),
        "waterfall": Drawing(
            plot_waterfall(contributions),
            BARS,
            describe_waterfall(contributions),
            "Log-odds of a high Ki-67. Full bars raise, hatched bars lower.",
        ),
        "nomogram": Drawing(
            plot_nomogram(points, row_height=ROW, line=LINE),
            AXES,
            describe_nomogram(points),
            f"A diamond is this patient; hollow: not known, {unknown} of {len(points.terms)} axes.",
        ),
        "heatmap": draw_heatmap(case.views[0], prediction.views[0], limit),
    }


def draw_heatmap(view: View, estimate: ViewEstimate, limit: float) -> Drawing:
    """Draw a view's heat map on the fixed scale."""
    figure = plot_heatmap(view.frame, view.roi, estimate, limit=limit, height=HEAT)
    return Drawing(
        figure,
        HEAT,
        describe_heatmap(estimate, limit),
        "Influence on the model, not biology: log-odds by place, + raises and \u2212 lowers. The scale is the same for "
        "every image.",
    )

"""From an estimate to what its document says: pictures painted, figures put into words, the bundle's evidence drawn."""

import io
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import pandas as pd
import plotly.graph_objects as go
from PIL import Image, ImageDraw

from core import __version__
from core.cohort.splits import SPLIT_NAMES
from core.documents.content import (
    FurtherView,
    HeatCell,
    HeatMap,
    MeetingContent,
    Origin,
    PatientContent,
    Picture,
    Stamp,
)
from core.evaluation import compute_calibration, compute_roc
from core.figures.case.frame import BOX, BOX_EDGE, describe_frame, render_frame
from core.figures.case.heatmap import describe_heatmap, locate_cells
from core.figures.case.heatmap_png import render_overlay
from core.figures.case.nomogram import describe_nomogram
from core.figures.case.probability import describe_icons, describe_scale
from core.figures.case.waterfall import describe_waterfall
from core.figures.cohort.calibration import CalibrationExhibit
from core.figures.cohort.roc import RocExhibit
from core.figures.rendering import render_svg
from core.imaging import Frame
from core.inference import Case, Prediction, View, ViewEstimate
from core.inference.explain import compute_heatmap_limit, format_percent, spread_offset, tabulate_contributions
from core.inference.points import score_points
from core.inference.render import describe_use
from core.inference.sentences import describe_seen, describe_views, name_view
from models.bundle import Bundle

LARGEST = 900
JPEG_QUALITY = 92
OPACITY = 0.55
MARGIN = 0.12
TESTED_ON = ("external", "test")
FIGURE_WIDTH, FIGURE_HEIGHT = 460, 420


def collect_case(
    case: Case,
    prediction: Prediction,
    bundle: Bundle,
    *,
    patient: str | None = None,
    simulated: bool = False,
    created_utc: str = "",
) -> PatientContent:
    """Collect what the document of an estimate says; what the board knows beside it is added with `replace`.

    Parameters
    ----------
    case : Case
        Views with their boxes, and known clinical values that the estimate was made from.
    prediction : Prediction
        The estimate, a refused one too.
    bundle : Bundle
        The bundle that gave it.
    patient : str, optional
        Pseudonym.
    simulated : bool
        Whether the patient is made up.
    created_utc : str
        Time to be printed, ISO 8601 in UTC; none by default, so that the document depends on the case alone.

    Returns
    -------
    PatientContent
        For `core.documents.render.render_patient_document`.
    """
    head = bundle.fusion_heads["m1"]
    limit = compute_heatmap_limit(head)
    points = score_points(head, prediction.score, case.clinical)
    contributions = tabulate_contributions(prediction, case.clinical)
    views = list(zip(case.views, prediction.views, strict=True))
    several = len(views) > 1
    return PatientContent(
        patient=patient,
        simulated=simulated,
        origin=describe_origin(bundle),
        stamp=Stamp(__version__, created_utc),
        prediction=prediction,
        points=points,
        inputs=dict(case.clinical),
        image=_paint_frame(case.views[0]),
        heatmap=_paint_heatmap(*views[0], limit),
        further_views=tuple(
            FurtherView(
                name_view(number, view).capitalize(),
                _paint_frame(view),
                _paint_heatmap(view, estimate, limit),
                _describe_share(estimate),
            )
            for number, (view, estimate) in enumerate(views[1:], start=2)
        ),
        view_words=f"{name_view(1, case.views[0]).capitalize()}: {_describe_share(prediction.views[0])} "
        f"{describe_views(prediction)}"
        if several
        else "",
        alts={
            "scale": describe_scale(prediction),
            "icons": describe_icons(prediction.probability),
            "waterfall": describe_waterfall(contributions),
            "nomogram": describe_nomogram(points),
        },
        seen=describe_seen(prediction, case.views),
        file_sha256=", ".join(dict.fromkeys(view.frame.sha256 for view in case.views)),
        evidence=draw_evidence(bundle),
    )


def collect_meeting(
    title: str,
    patients: tuple[PatientContent, ...],
    *,
    held_on: str = "",
    created_utc: str = "",
    last_entry: str = "",
) -> MeetingContent:
    """Collect what a meeting's document says.

    Parameters
    ----------
    title : str
        Name of the meeting.
    patients : tuple of PatientContent
        In the order in which the board saw them.
    held_on : str
        Date, ISO 8601.
    created_utc : str
        Time to be printed, ISO 8601 in UTC.
    last_entry : str
        NUMBER:HASH of the last entry in the board's record.

    Returns
    -------
    MeetingContent
        For `core.documents.render.render_meeting_document`; the bundles' evidence stands in it once.
    """
    evidence = tuple(dict.fromkeys(picture for patient in patients for picture in patient.evidence))
    alone = tuple(replace(patient, evidence=()) for patient in patients)
    return MeetingContent(title, alone, Stamp(__version__, created_utc), held_on, evidence, last_entry)


def describe_origin(bundle: Bundle) -> Origin:
    """Say which bundle answered, as documents print it."""
    training = bundle.manifest.training_data
    return Origin(
        bundle=bundle.name,
        bundle_sha256=bundle.sha256,
        simulated=bundle.is_simulated,
        cutoff=bundle.cutoff,
        intended_use=describe_use(bundle),
        trained_on=f"{training.description} {training.n_patients} patients, all splits.",
    )


def draw_evidence(bundle: Bundle) -> tuple[Picture, ...]:
    """Draw discrimination and calibration of a bundle in the patients that it was not trained on.

    Parameters
    ----------
    bundle : Bundle
        With evidence/predictions.csv.

    Returns
    -------
    tuple of Picture
        SVG with captions that give n and intervals; empty where the bundle has no test patients.
    """
    return _draw_evidence(bundle.folder, bundle.sha256, simulated=bundle.is_simulated)


@lru_cache(maxsize=4)
def _draw_evidence(folder: Path, _sha256: str, *, simulated: bool) -> tuple[Picture, ...]:
    path = folder / "evidence" / "predictions.csv"
    table = pd.read_csv(path) if path.exists() else pd.DataFrame(columns=["split"])
    split = next((name for name in TESTED_ON if (table["split"] == name).any()), None)
    if split is None:
        return ()
    part = table[table["split"] == split].dropna(subset=["y", "prob"])
    name = f"the bundle's {SPLIT_NAMES[split]} ({'simulated' if simulated else 'real'} patients)"
    exhibits = (
        RocExhibit(name, {"Model": compute_roc(part["y"], part["prob"])}),
        CalibrationExhibit(name, compute_calibration(part["y"], part["prob"], role="external")),
    )
    return tuple(_draw_figure(exhibit.figure(), exhibit.sentence()) for exhibit in exhibits)


def _draw_figure(figure: go.Figure, words: str) -> Picture:
    figure.update_layout(height=FIGURE_HEIGHT)
    svg = render_svg(figure, width=FIGURE_WIDTH)
    return Picture(svg, FIGURE_WIDTH, FIGURE_HEIGHT, words, words)


def _describe_share(estimate: ViewEstimate) -> str:
    alone = format_percent(estimate.probability)
    return f"Alone {alone}; its share of the image's term is {estimate.contribution:+.2f} log-odds."


def _paint_frame(view: View) -> Picture:
    frame = view.frame
    width, height = _fit(frame.width, frame.height)
    image = render_frame(frame, view.roi).resize((width, height), Image.Resampling.LANCZOS)
    scale = "scale not known" if frame.mm_per_px is None else f"{frame.width * frame.mm_per_px:.0f} mm wide"
    words = describe_frame(frame, view.roi)
    return Picture(_encode(image), width, height, words, f"B-mode image with the lesion box; {scale}.")


def _paint_heatmap(view: View, estimate: ViewEstimate, limit: float) -> HeatMap:
    x0, y0, x1, y1 = _crop_area(view.frame, estimate)
    overlay_at = estimate.reading.area
    size = (max(1, round(overlay_at[2] - overlay_at[0])), max(1, round(overlay_at[3] - overlay_at[1])))
    values = spread_offset(estimate)
    overlay = render_overlay(values, limit=limit, opacity=OPACITY, size=size)
    image = Image.fromarray(view.frame.pixels).convert("RGB")
    image.paste(overlay.convert("RGB"), (round(overlay_at[0]), round(overlay_at[1])), overlay.getchannel("A"))
    line = max(1, round((x1 - x0) / 200))
    edges = (view.roi.x0, view.roi.y0, view.roi.x1 - 1, view.roi.y1 - 1)
    draw = ImageDraw.Draw(image)
    draw.rectangle(tuple(e + s * line for e, s in zip(edges, (-1, -1, 1, 1), strict=True)), outline=BOX_EDGE, width=1)
    draw.rectangle(edges, outline=BOX, width=line)
    width, height = _fit(x1 - x0, y1 - y0)
    crop = image.crop((x0, y0, x1, y1)).resize((width, height), Image.Resampling.LANCZOS)
    columns, rows = locate_cells(estimate)
    cells = tuple(
        HeatCell((x - x0) / (x1 - x0), (y - y0) / (y1 - y0), float(values[i, j]))
        for i, y in enumerate(rows)
        for j, x in enumerate(columns)
        if x0 < x < x1 and y0 < y < y1
    )
    return HeatMap(Picture(_encode(crop), width, height, describe_heatmap(estimate, limit)), cells, limit)


def _crop_area(frame: Frame, estimate: ViewEstimate) -> tuple[int, int, int, int]:
    """Give the square that the network saw, with a margin, as far as the frame reaches."""
    x0, y0, x1, y1 = estimate.reading.area
    pad = MARGIN * (x1 - x0)
    return (
        max(0, round(x0 - pad)),
        max(0, round(y0 - pad)),
        min(frame.width, round(x1 + pad)),
        min(frame.height, round(y1 + pad)),
    )


def _encode(image: Image.Image) -> bytes:
    """Write a picture small enough that a meeting's document can be sent."""
    buffer = io.BytesIO()
    image.save(buffer, format="JPEG", quality=JPEG_QUALITY, subsampling=0)
    return buffer.getvalue()


def _fit(width: int, height: int) -> tuple[int, int]:
    """Give the size on paper's resolution: the longer side at most `LARGEST` pixels."""
    ratio = min(1.0, LARGEST / max(width, height))
    return max(1, round(width * ratio)), max(1, round(height * ratio))

"""From an estimate to what its document says: pictures painted, figures put into words, the bundle's evidence drawn."""

from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import pandas as pd
import plotly.graph_objects as go
from PIL import Image

from core import __version__
from core.cohort.splits import SPLIT_NAMES
from core.documents.content import FurtherView, MeetingContent, Origin, PatientContent, Picture, Stamp
from core.evaluation import compute_calibration, compute_roc
from core.figures.case.estimate import draw_estimate, draw_heatmap
from core.figures.case.frame import describe_frame, encode_jpeg, render_frame
from core.figures.case.interval import HEIGHT as STRIP_HEIGHT
from core.figures.case.interval import WIDTH as STRIP_WIDTH
from core.figures.case.interval import describe_interval, render_interval
from core.figures.cohort.calibration import CalibrationExhibit
from core.figures.cohort.roc import RocExhibit
from core.figures.rendering import Drawing
from core.imaging.side import find_side, list_sides, settle_side
from core.inference import Case, Prediction, View, ViewEstimate
from core.inference.explain import compute_heatmap_limit, format_percent
from core.inference.render import describe_use
from core.inference.sentences import describe_seen, describe_views, name_view
from models.bundle import Bundle

LARGEST = 900
TESTED_ON = ("external", "test")
FIGURE_WIDTH, FIGURE_HEIGHT = 520, 460


def collect_case(
    case: Case,
    prediction: Prediction,
    bundle: Bundle,
    *,
    patient: str | None = None,
    simulated: bool = False,
    created_utc: str = "",
) -> PatientContent:
    """Collect what the document of an estimate says, a refused one too; what the board knows is added with `replace`.

    `created_utc` (ISO 8601) is printed; none by default, so that the document depends on the case alone. An ImageError
    if the form names another breast than the images' headers.
    """
    if case.side:
        settle_side(list_sides(view.frame for view in case.views), case.side)
    head = bundle.fusion_heads["m1"]
    views = list(zip(case.views, prediction.views, strict=True))
    first = f"{name_view(1, case.views[0]).capitalize()}: {_describe_share(prediction.views[0])}"
    return PatientContent(
        patient=patient,
        simulated=simulated,
        origin=describe_origin(bundle),
        stamp=Stamp(__version__, created_utc),
        prediction=prediction,
        inputs=dict(case.clinical)
        | ({"laterality": side} if (side := find_side((view.frame for view in case.views), case.side)) else {}),
        image=_paint_frame(case.views[0]),
        figures={**draw_estimate(case, prediction, head), "strip": _draw_strip(prediction)},
        further_views=tuple(
            FurtherView(
                name_view(number, view).capitalize(),
                _paint_frame(view),
                draw_heatmap(view, estimate, compute_heatmap_limit(head)),
                _describe_share(estimate),
            )
            for number, (view, estimate) in enumerate(views[1:], start=2)
        ),
        view_words=f"{first} {describe_views(prediction)}" if len(views) > 1 else "",
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
    """Collect what a meeting's document says."""
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


def draw_evidence(bundle: Bundle) -> tuple[Drawing, ...]:
    """Draw discrimination and calibration of a bundle in the patients that it was not trained on."""
    return _draw_evidence(bundle.folder, bundle.sha256, simulated=bundle.is_simulated)


@lru_cache(maxsize=4)
def _draw_evidence(folder: Path, _sha256: str, *, simulated: bool) -> tuple[Drawing, ...]:
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


def _draw_figure(figure: go.Figure, words: str) -> Drawing:
    return Drawing(figure.update_layout(height=FIGURE_HEIGHT), FIGURE_WIDTH, words, words)


def _describe_share(estimate: ViewEstimate) -> str:
    alone = format_percent(estimate.probability)
    return f"Alone {alone}; its share of the image's term is {estimate.contribution:+.2f} log-odds."


def _paint_frame(view: View) -> Picture:
    frame = view.frame
    width, height = _fit(frame.width, frame.height)
    image = render_frame(frame, view.roi).resize((width, height), Image.Resampling.LANCZOS)
    scale = "scale not known" if frame.mm_per_px is None else f"{frame.width * frame.mm_per_px:.0f} mm wide"
    words = describe_frame(frame, view.roi)
    return Picture(encode_jpeg(image), width, height, words, f"B-mode image with the lesion box; {scale}.")


def _draw_strip(prediction: Prediction) -> Picture:
    """Draw the small graph of a meeting's list."""
    estimate, no_call, threshold = (
        (prediction.probability, prediction.interval),
        prediction.no_call,
        prediction.threshold,
    )
    graph = render_interval(*estimate, no_call=no_call, threshold=threshold)
    words = describe_interval(*estimate, no_call=no_call, threshold=threshold)
    return Picture(graph.encode(), STRIP_WIDTH, STRIP_HEIGHT, words)


def _fit(width: int, height: int) -> tuple[int, int]:
    """Give the size on paper's resolution: the longer side at most `LARGEST` pixels."""
    ratio = min(1.0, LARGEST / max(width, height))
    return max(1, round(width * ratio)), max(1, round(height * ratio))

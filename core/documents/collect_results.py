"""From an estimate to what the archive gets of it: the overlay painted, the document typeset."""

import io
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from core.archive.dicom_objects.export import CaseResults
from core.documents.collect_case import collect_case
from core.documents.render import render_patient_document
from core.figures.case.heatmap_png import render_view_heatmap
from core.imaging.side import list_sides, settle_side
from core.inference import Case, Prediction, View, ViewEstimate
from core.inference.lesion import Lesion, choose_outline
from models.bundle import Bundle


def collect_results(
    case: Case,
    prediction: Prediction,
    bundle: Bundle,
    *,
    simulated: bool = False,
    document: bytes | None = None,
    lesions: Sequence[Sequence[Lesion]] = (),
    entry: str = "",
) -> CaseResults:
    """Collect what is exported of a case.

    Nothing in overlay and document depends on the time, so that the same case gives the same objects. A form that
    names another breast than the images' headers is an ImageError. Of the lesions found in each view, the outline of
    the one that its box frames is exported. Document and report name the register's entry, where one was made.
    """
    if document is None:
        settle_side(list_sides(view.frame for view in case.views), case.side)
        content = collect_case(case, prediction, bundle, simulated=simulated)
        document = render_patient_document(replace(content, entry=entry))
    return CaseResults(
        prediction=prediction,
        bundle=bundle,
        case=case,
        overlays=tuple(
            _paint_overlay(view, estimate, prediction, bundle)
            for view, estimate in zip(case.views, prediction.views, strict=True)
        ),
        document=document,
        entry=entry,
        outlines=tuple(choose_outline(found, view.roi) for found, view in zip(lesions, case.views, strict=True))
        if lesions
        else (),
    )


def _paint_overlay(view: View, estimate: ViewEstimate, prediction: Prediction, bundle: Bundle) -> NDArray[np.uint8]:
    png = render_view_heatmap(view, estimate, prediction, bundle, provenance={})
    return np.array(Image.open(io.BytesIO(png)).convert("RGB"))

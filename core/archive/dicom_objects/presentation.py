"""The lesion box as a softcopy presentation state: what any viewer can draw over the source image."""

from functools import partial
from typing import Any

import numpy as np
from highdicom.pr import (
    AnnotationUnitsValues,
    ColorSoftcopyPresentationState,
    GraphicAnnotation,
    GraphicLayer,
    GraphicObject,
    GraphicTypeValues,
    GrayscaleSoftcopyPresentationState,
    TextObject,
)
from PIL import ImageCms
from pydicom import Dataset

from core.imaging import Roi

LABEL = "SONOKI"
DEVICE, DATE = slice(12, 16), slice(24, 36)
MILLENNIUM = b"\x07\xd0\x00\x01\x00\x01" + bytes(6)


def make_presentation(
    image: Dataset, box: Roi, *, frame_index: int, text: str, options: dict[str, Any]
) -> GrayscaleSoftcopyPresentationState | ColorSoftcopyPresentationState:
    """Draw the lesion box and the estimate over the source image.

    Parameters
    ----------
    image : Dataset
        UIDs, size and samples of the source image.
    box : Roi
        Lesion box in its pixels.
    frame_index : int
        Frame, from 0.
    text : str
        Written above the box.
    options : dict
        UIDs and the like, as highdicom takes them.

    Returns
    -------
    GrayscaleSoftcopyPresentationState or ColorSoftcopyPresentationState
        The object, still without patient and study.
    """
    edges = np.array([(box.x0, box.y0), (box.x1, box.y0), (box.x1, box.y1), (box.x0, box.y1), (box.x0, box.y0)])
    edges = edges.clip(0.5, (image.Columns - 0.5, image.Rows - 0.5))
    layer = GraphicLayer(LABEL, 1, description="Lesion box of the estimate")
    annotation = GraphicAnnotation(
        referenced_images=[image],
        graphic_layer=layer,
        referenced_frame_number=frame_index + 1 if image.NumberOfFrames > 1 else None,
        graphic_objects=[GraphicObject(GraphicTypeValues.POLYLINE, edges, AnnotationUnitsValues.PIXEL)],
        text_objects=[TextObject(text, AnnotationUnitsValues.PIXEL, anchor_point=tuple(edges[0]))],
    )

    kind = (
        GrayscaleSoftcopyPresentationState
        if image.SamplesPerPixel == 1
        else partial(ColorSoftcopyPresentationState, icc_profile=_make_srgb())
    )
    return kind(
        referenced_images=[image],
        content_label=LABEL,
        content_description="Lesion box, research use only",
        graphic_annotations=[annotation],
        graphic_layers=[layer],
        **options,
    )


def _make_srgb() -> bytes:
    """Make the sRGB profile of an input device, as DICOM asks for, without the time (ICC.1 7.2): always the same."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    profile[DEVICE], profile[DATE] = b"scnr", MILLENNIUM
    return bytes(profile)

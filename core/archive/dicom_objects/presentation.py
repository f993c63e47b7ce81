"""The lesion box and outline as a softcopy presentation state: what any viewer can draw over the source image."""

from collections.abc import Callable
from functools import partial

import numpy as np
from highdicom import PresentationLUTTransformation
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
from numpy.typing import NDArray
from PIL import ImageCms
from pydicom import Dataset
from pydicom.multival import MultiValue

from core.imaging import Roi

LABEL = "SONOKI"
DISPLAY = (
    "WindowCenter",
    "WindowWidth",
    "VOILUTFunction",
    "RescaleSlope",
    "RescaleIntercept",
    "RescaleType",
    "ModalityLUTSequence",
    "VOILUTSequence",
)
PIXEL = AnnotationUnitsValues.PIXEL
DEVICE, DATE = slice(12, 16), slice(24, 36)
MILLENNIUM = b"\x07\xd0\x00\x01\x00\x01" + bytes(6)


def can_present(image: Dataset, frame_index: int) -> bool:
    """Whether a presentation state can be written: of no palette, single line, or frame that the class has not."""
    is_area = min(image.Rows, image.Columns) > 1
    return is_area and image.PhotometricInterpretation != "PALETTE COLOR" and frame_index < image.NumberOfFrames


def make_presentation(
    image: Dataset,
    box: Roi,
    outline: NDArray[np.float64] | None,
    *,
    frame_index: int,
    text: str,
    options: dict[str, object],
) -> GrayscaleSoftcopyPresentationState | ColorSoftcopyPresentationState:
    """Draw the lesion box, its outline and the estimate over a frame of the source image.

    The outline is in pixels of the image, the frame counts from 0. Patient and study are still to be written; options
    are those of highdicom.
    """
    edges = np.array([(box.x0, box.y0), (box.x1, box.y0), (box.x1, box.y1), (box.x0, box.y1)])
    lines = [_close(line, image) for line in (edges, outline) if line is not None]
    layer = GraphicLayer(LABEL, 1, description="Lesion box and outline")
    annotation = GraphicAnnotation(
        referenced_images=[image],
        graphic_layer=layer,
        referenced_frame_number=frame_index + 1 if image.NumberOfFrames > 1 else None,
        graphic_objects=[
            GraphicObject(GraphicTypeValues.POLYLINE, line, AnnotationUnitsValues.PIXEL) for line in lines
        ],
        text_objects=[TextObject(text, AnnotationUnitsValues.PIXEL, anchor_point=tuple(lines[0][0]))],
    )

    bare = Dataset()
    bare.update({element.tag: element for element in image if element.keyword not in DISPLAY})
    bare.SharedFunctionalGroupsSequence = bare.PerFrameFunctionalGroupsSequence = [Dataset()]  # highdicom asks
    made = _choose_kind(image)(
        referenced_images=[bare],
        content_label=LABEL,
        content_description="Lesion, research use only",
        graphic_annotations=[annotation],
        graphic_layers=[layer],
        **options,
    )
    if image.SamplesPerPixel == 1:
        _repeat_display(made, image)
    return made


def _repeat_display(made: Dataset, image: Dataset) -> None:
    """Say how the values of a grey image become levels: its tables, else its rescaling and first window.

    By hand, for highdicom takes them of no image with several frames, no table of rescaling, and entries of 8 or 16
    bits alone.
    """
    if "ModalityLUTSequence" in image:
        table = _write_table(image.ModalityLUTSequence[0])
        table.ModalityLUTType = image.ModalityLUTSequence[0].get("ModalityLUTType") or "US"
        made.ModalityLUTSequence = [table]
    elif "RescaleSlope" in image:
        made.RescaleIntercept, made.RescaleSlope = image.get("RescaleIntercept") or 0, image.RescaleSlope
        made.RescaleType = image.get("RescaleType") or "US"
    shown = Dataset()
    if "VOILUTSequence" in image:
        shown.VOILUTSequence = [_write_table(image.VOILUTSequence[0], is_output=True)]
    elif "WindowCenter" in image:
        for name in ("WindowCenter", "WindowWidth"):
            value = image[name].value
            setattr(shown, name, value[0] if isinstance(value, MultiValue) else value)
        if "VOILUTFunction" in image:
            shown.VOILUTFunction = image.VOILUTFunction
    if shown:
        made.SoftcopyVOILUTSequence = [shown]


def _write_table(table: Dataset, *, is_output: bool = False) -> Dataset:
    """Write a table with entries of 16 bits, as all viewers read them; those of an output are stretched to that."""
    count, first, bits = table.LUTDescriptor
    entries = np.frombuffer(table.LUTData, "<u2")
    if is_output:
        bits = max(bits, int(entries.max()).bit_length())
        entries = np.round(entries * (0xFFFF / (2**bits - 1))).clip(0, 0xFFFF).astype("<u2")
    written = Dataset()
    written.add_new("LUTDescriptor", "SS" if first < 0 else "US", [count, first, 16])
    written.add_new("LUTData", "OW", entries.tobytes())
    return written


def _choose_kind(
    image: Dataset,
) -> Callable[..., GrayscaleSoftcopyPresentationState | ColorSoftcopyPresentationState]:
    """Grey pixels are shown by the image's own window and tables, colours by sRGB."""
    if image.SamplesPerPixel > 1:
        return partial(ColorSoftcopyPresentationState, icc_profile=_make_srgb())
    is_dark = image.PhotometricInterpretation == "MONOCHROME1" or image.get("PresentationLUTShape") == "INVERSE"
    shape = "INVERSE" if is_dark else "IDENTITY"
    shown = PresentationLUTTransformation(presentation_lut_shape=shape)
    return partial(GrayscaleSoftcopyPresentationState, presentation_lut_transformation=shown)


def _close(corners: NDArray[np.float64], image: Dataset) -> NDArray[np.float64]:
    """Lead a line back to its first corner, within the image's pixels."""
    return np.vstack([corners, corners[:1]]).clip(0.5, (image.Columns - 0.5, image.Rows - 0.5))


def _make_srgb() -> bytes:
    """Make the sRGB profile of an input device, as DICOM asks for, without the time (ICC.1 7.2): always the same."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    profile[DEVICE], profile[DATE] = b"scnr", MILLENNIUM
    return bytes(profile)

"""Whether a frame and its lesion box suit the model: one finding a check, each with a sentence."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
from PIL import Image

from core.imaging.findings.calipers import find_calipers, name_marks
from core.imaging.findings.whole_frame import get_survey
from core.imaging.frame import Finding, Frame, Roi

_WHOLE_FRAME = {"size", "blank"}
_ORDER = ("refused", "caution", "note")
_BLANK_RANGE = 8
_SATURATED_SHARE = 0.25
_SMALL_BOX = 16
_SMALL_FRAME = 64
_COLOUR_PHOTO, _COLOUR_REFUSED, _COLOUR_CAUTION = 0.30, 0.10, 0.01
_GRAIN_SIDE, _BLURRED_GRAIN = 128, 2.0  # real boxes of 200 BUS-BRA images: 4.2 and more


def assess_quality(frame: Frame, roi: Roi) -> tuple[Finding, ...]:
    """Check a frame and a lesion box; what the whole frame shows was found when it was decoded.

    Parameters
    ----------
    frame : Frame
        The frame.
    roi : Roi
        Lesion box in the frame's pixels.

    Returns
    -------
    tuple of Finding
        What was found, refusals first; a single "ok" where nothing was.
    """
    if min(frame.pixels.shape) < _SMALL_FRAME:
        size = f"{frame.width} x {frame.height}"
        return (Finding("refused", f"The image area is only {size} pixels. Upload the original frame.", "size"),)
    frame = replace(frame, survey=get_survey(frame))
    findings = [finding for check in _CHECKS for finding in check(frame, roi)]
    findings.sort(key=lambda finding: _ORDER.index(finding.status))
    return tuple(findings) or (Finding("ok", "Image and lesion box suit the model.", "quality"),)


def refuse_frame(frame: Frame) -> Finding | None:
    """Give what speaks against a frame wherever its lesion lies: too small or blank."""
    found = assess_quality(frame, Roi(0, 0, frame.width, frame.height))
    return next((one for one in found if one.status == "refused" and one.name in _WHOLE_FRAME), None)


def _check_levels(frame: Frame, roi: Roi) -> Iterator[Finding]:
    low, high = get_survey(frame).levels
    inside = _inside(frame, roi)
    if high - low < _BLANK_RANGE:
        yield Finding("refused", "The image is blank. Upload the B-mode image itself.", "blank")
    elif inside.size and (inside > 253).mean() > _SATURATED_SHARE:
        yield Finding("caution", "Much of the lesion box is saturated white: its texture is lost.", "saturated")
    elif inside.size and np.ptp(inside) < _BLANK_RANGE:
        yield Finding("caution", "The lesion box holds nearly one grey level only. Check its place.", "blank box")


def _check_sharpness(frame: Frame, roi: Roi) -> Iterator[Finding]:
    inside = _inside(frame, roi)
    if min(inside.shape) < _SMALL_BOX:
        return
    shrink = min(1.0, _GRAIN_SIDE / max(inside.shape))
    size = max(4, round(inside.shape[1] * shrink)), max(4, round(inside.shape[0] * shrink))
    grain = np.abs(np.diff(np.asarray(Image.fromarray(inside).resize(size), np.float32), 2, axis=0)).mean()
    if grain < _BLURRED_GRAIN:
        yield Finding("caution", "The image is blurred: no speckle is seen at the lesion's depth.", "blurred")


def _check_box(frame: Frame, roi: Roi) -> Iterator[Finding]:
    if roi.x1 <= 0 or roi.y1 <= 0 or roi.x0 >= frame.width or roi.y0 >= frame.height:
        yield Finding("refused", "The lesion box lies outside the image. Draw it on the lesion.", "box outside")
    elif roi.x0 <= 0 or roi.y0 <= 0 or roi.x1 >= frame.width or roi.y1 >= frame.height:
        yield Finding(
            "caution", "The lesion box reaches the image's edge: part of the lesion may be missing.", "box edge"
        )
    if min(roi.width, roi.height) < _SMALL_BOX:
        sentence = f"The lesion box is less than {_SMALL_BOX} pixels wide or high: too little of the lesion is seen."
        yield Finding("caution", sentence, "small box")


def _check_colour(frame: Frame, roi: Roi) -> Iterator[Finding]:
    if frame.colour is None:
        return
    if frame.colour.mean() > _COLOUR_PHOTO:
        sentence = "Most of the image is coloured, as in a photo or an elastogram. Upload the plain B-mode image."
        yield Finding("refused", sentence, "colour")
        return
    inside = frame.colour[_slices(roi)]
    share = float(inside.mean()) if inside.size else 0.0
    if share > _COLOUR_REFUSED:
        colour = f"Colour (Doppler or elastography) covers {100 * share:.0f} % of the lesion box."
        yield Finding("refused", f"{colour} Upload the plain B-mode image.", "colour")
    elif share > _COLOUR_CAUTION:
        yield Finding(
            "caution", f"Colour covers {100 * share:.0f} % of the lesion box and was converted to greyscale.", "colour"
        )


def _check_overlays(frame: Frame, roi: Roi) -> Iterator[Finding]:
    calipers = find_calipers(frame, roi)
    if calipers:
        verb, they = ("lies", "it") if len(calipers) == 1 else ("lie", "they")
        sentence = f"{name_marks(calipers, ())} {verb} in or beside the lesion box; {they} can be painted over."
        yield Finding("note", sentence, "calipers")
    words = get_survey(frame).words
    if any(word.x0 < roi.x1 and word.x1 > roi.x0 and word.y0 < roi.y1 and word.y1 > roi.y0 for word in words):
        yield Finding(
            "caution", "Words seem to be burned into the lesion box. Choose a frame without them.", "text in box"
        )
    elif words:
        sentence = "Words seem to be burned into the image. Make sure that they name nobody before it is shared."
        yield Finding("note", sentence, "text")


def _check_views(frame: Frame, roi: Roi) -> Iterator[Finding]:
    seam = get_survey(frame).seam
    if seam is None:
        return
    if roi.x0 < seam < roi.x1:
        yield Finding(
            "caution", "The lesion box crosses the seam of two views. Draw it within one of them.", "two views"
        )
    else:
        yield Finding(
            "caution", "The image shows two views side by side; only the one with the box is judged.", "two views"
        )


def _slices(roi: Roi) -> tuple[slice, slice]:
    rows = slice(max(0, int(roi.y0)), max(0, int(np.ceil(roi.y1))))
    return rows, slice(max(0, int(roi.x0)), max(0, int(np.ceil(roi.x1))))


def _inside(frame: Frame, roi: Roi) -> np.ndarray:
    return frame.pixels[_slices(roi)]


_CHECKS: tuple[Callable[[Frame, Roi], Iterator[Finding]], ...] = (
    _check_levels,
    _check_sharpness,
    _check_box,
    _check_colour,
    _check_overlays,
    _check_views,
)

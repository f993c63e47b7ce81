"""Whether a DICOM file is a single B-mode frame, by its header and by its pixels; runs in the decoder's process."""

import hashlib
from collections.abc import Iterator
from itertools import combinations

import numpy as np
from pydicom import Dataset

from core.errors import ImageError
from core.imaging.decoding.decode import choose_region
from core.imaging.decoding.dicom.items import read_items
from core.imaging.decoding.dicom.opening import open_dicom
from core.imaging.decoding.dicom.side import read_side
from core.imaging.decoding.dicom.source import SECONDARY_CAPTURE, DicomSource
from core.imaging.decoding.dicom.study import read_value
from core.imaging.decoding.dicom.ultrasound import find_regions
from core.imaging.decoding.limits import Limits
from core.imaging.decoding.raster import to_grey
from core.imaging.filed_image import FiledImage
from core.imaging.findings.colour import measure_overlay
from core.imaging.findings.overlays import find_seam
from core.imaging.findings.views import find_views
from core.imaging.frame import Region, Roi

_MODES = {  # bits of the fourth value of ImageType (PS3.3 C.8.5.6.1.1)
    0x0002: "an M-mode image",
    0x0004: "a spectral Doppler image",
    0x0008: "a spectral Doppler image",
    0x0010: "a colour Doppler image",
    0x0020: "an M-mode image",
    0x0040: "a rendered volume",
    0x0100: "a power Doppler image",
}
_SPATIAL = {2: "an M-mode image", 3: "a spectral Doppler image", 4: "an image with a trace"}  # PS3.3 C.8.5.5.1.1
_COLOUR_FLOW = 2
_DERIVED, _PRIMARY, _MODE = 0, 1, 3
_LEAST_SIDE, _BLANK_RANGE = 64, 8
_MOST_COLOUR = 0.01
_ALIKE = 0.4  # share of the larger view's area from which a second one is no mere inset


def decode_filed(data: bytes, limits: Limits) -> FiledImage:
    """Read whose a DICOM file is, and whether it is a B-mode still.

    One that is a loop, derived, in another mode, coloured, split, blank or too small has a fault; an ImageError where
    it holds no ultrasound image that can be read.
    """
    source = open_dicom(data, limits)
    fault = next(_find_faults(source), "")
    pixels = ""
    if not fault:
        fault, pixels = _judge_pixels(source)
    header = source.header
    day = read_value(header, "StudyDate", strict=False)
    return FiledImage(
        fault=fault,
        patient_id=str(header.get("PatientID") or "").strip(),
        issuer=read_value(header, "IssuerOfPatientID", strict=False),
        name=read_value(header, "PatientName", strict=False),
        birth_date=read_value(header, "PatientBirthDate", strict=False),
        study=str(header.get("StudyInstanceUID") or "").strip(),
        instance=str(header.get("SOPInstanceUID") or "").strip(),
        study_date=f"{day[:4]}-{day[4:6]}-{day[6:]}" if len(day) == 8 else "",
        accession=read_value(header, "AccessionNumber", strict=False),
        side=read_side(header),
        pixels=pixels,
    )


def _find_faults(source: DicomSource) -> Iterator[str]:
    """Give what the header says against a B-mode still."""
    header = source.header
    if source.count > 1:
        yield f"a loop of {source.count} frames"
    if str(header.get("SOPClassUID") or "").startswith(SECONDARY_CAPTURE):
        yield "a secondary capture"
    kind = _read_kind(header)
    if kind[_DERIVED : _DERIVED + 1] == ["DERIVED"] and not _is_copy(header, kind):
        yield "a derived image"
    yield from _read_modes(kind)
    for region in read_items(header, "SequenceOfUltrasoundRegions"):
        if region.get("RegionSpatialFormat") in _SPATIAL:
            yield _SPATIAL[region.RegionSpatialFormat]
        if region.get("RegionDataType") == _COLOUR_FLOW:
            yield "a colour Doppler image"


def _read_kind(header: Dataset) -> list[str]:
    stated = header.get("ImageType") or []
    return [str(part).strip().upper() for part in ([stated] if isinstance(stated, str) else stated)]


def _is_copy(header: Dataset, kind: list[str]) -> bool:
    """Tell a machine's image that was compressed or de-identified, which must call itself derived, from others."""
    is_primary = kind[_PRIMARY : _PRIMARY + 1] == ["PRIMARY"]
    is_known = header.get("LossyImageCompression") == "01" or header.get("PatientIdentityRemoved") == "YES"
    return is_primary and is_known


def _read_modes(kind: list[str]) -> Iterator[str]:
    try:
        bits = int(kind[_MODE], 16)
    except (IndexError, ValueError):
        return
    yield from (words for bit, words in _MODES.items() if bits & bit)


def _judge_pixels(source: DicomSource) -> tuple[str, str]:
    """Give what the pixels say against a B-mode still, and the hash of their grey levels."""
    try:
        named, _ = find_regions(source.header, source.width, source.height)
    except ImageError:
        return "no B-mode region, by its header", ""
    (image,) = source.iter_frames([0])
    grey = to_grey(image)
    box = choose_region(named, None, grey)[0].box
    inside = slice(int(box.y0), int(box.y1)), slice(int(box.x0), int(box.x1))
    fault = next(_look_at(image[inside], grey, named, inside), "")
    area = np.ascontiguousarray(grey[inside])
    return fault, hashlib.sha256(repr(area.shape).encode() + area.tobytes()).hexdigest()


def _look_at(
    part: np.ndarray, grey: np.ndarray, named: tuple[Region, ...], inside: tuple[slice, slice]
) -> Iterator[str]:
    area = grey[inside]
    if min(area.shape) < _LEAST_SIDE:
        yield f"an image area of only {area.shape[1]} x {area.shape[0]} pixels"
        return
    low, high = np.percentile(area, (1, 99))
    if high - low < _BLANK_RANGE:
        yield "a blank image"
    share = measure_overlay(part) if part.ndim == 3 else 0.0
    if share > _MOST_COLOUR:
        yield f"coloured in {100 * share:.0f} % of its area, as Doppler or elastography is"
    if _stand_apart(named) or (not named and find_views(grey)) or find_seam(area) is not None:
        yield "a split screen of two views"


def _stand_apart(named: tuple[Region, ...]) -> bool:
    """Whether two of the named regions are views beside each other: of like size, neither within the other."""
    boxes = [region.box for region in named]
    return any(_measure(b) > _ALIKE * _measure(a) and not _overlap(a, b) for a, b in _order(boxes))


def _order(boxes: list[Roi]) -> Iterator[tuple[Roi, Roi]]:
    for a, b in combinations(boxes, 2):
        yield (a, b) if _measure(a) >= _measure(b) else (b, a)


def _measure(box: Roi) -> float:
    return box.width * box.height


def _overlap(a: Roi, b: Roi) -> bool:
    """Whether the boxes share more than half of the smaller one."""
    width, height = min(a.x1, b.x1) - max(a.x0, b.x0), min(a.y1, b.y1) - max(a.y0, b.y0)
    return width > 0 and height > 0 and width * height > min(_measure(a), _measure(b)) / 2

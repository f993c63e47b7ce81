"""A DICOM copy without the patient: PS3.15 basic profile, then only the tags and the pixels that an image needs."""

from io import BytesIO
from typing import Any

import numpy as np
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.pixels.encoders import RLELosslessEncoder
from pydicom.uid import RLELossless, generate_uid

from core.errors import ImageError
from core.imaging.decoding.decode import choose_region
from core.imaging.decoding.dicom import DicomSource, open_dicom
from core.imaging.decoding.formats import detect_format
from core.imaging.decoding.limits import Limits
from core.imaging.decoding.raster import to_grey
from core.imaging.decoding.ultrasound import find_regions
from core.imaging.findings.sector import blacken_corners
from core.imaging.frame import Roi

_KEPT = (
    "SOPClassUID",
    "SOPInstanceUID",
    "StudyInstanceUID",
    "SeriesInstanceUID",
    "FrameOfReferenceUID",
    "Modality",
    "Manufacturer",
    "ManufacturerModelName",
    "StudyDate",
    "StudyTime",
    "AccessionNumber",
    "ReferringPhysicianName",
    "PatientName",
    "PatientID",
    "PatientBirthDate",
    "PatientSex",
    "StudyID",
    "SeriesNumber",
    "InstanceNumber",
    "FrameTime",
    "FrameIncrementPointer",
    "Rows",
    "Columns",
    "NumberOfFrames",
)
_EMPTIED = ("StudyDate", "StudyTime", "AccessionNumber", "ReferringPhysicianName", "PatientBirthDate", "StudyID")
_REGION_KEPT = (
    "RegionSpatialFormat",
    "RegionDataType",
    "RegionFlags",
    "RegionLocationMinX0",
    "RegionLocationMinY0",
    "RegionLocationMaxX1",
    "RegionLocationMaxY1",
    "PhysicalUnitsXDirection",
    "PhysicalUnitsYDirection",
    "PhysicalDeltaX",
    "PhysicalDeltaY",
    "TransducerFrequency",
)
_METHOD = "PS3.15 basic profile; tags and pixels of the image only"


def decode_deidentified(data: bytes, limits: Limits) -> bytes:
    """Write a copy of an ultrasound DICOM file that names nobody; runs in the decoder's process.

    The basic profile is applied by the dicom-anonymizer library. It leaves free text and nested items, so that in
    addition only the tags of `_KEPT` stay, names and dates among them empty, and the regions are written anew. Pixels
    outside the B-mode areas, and in the corners of a sector, are black in every frame; words within an area stay.

    Parameters
    ----------
    data : bytes
        The file.
    limits : Limits
        Limits to keep.

    Returns
    -------
    bytes
        The copy: RLE lossless, 8 bits, grey or RGB.

    Raises
    ------
    ImageError
        If it is no DICOM file, or none that can be read.
    """
    if detect_format(data) != "DICOM":
        raise ImageError("Only DICOM files hold a header to clean; other images are kept as their B-mode area anyway.")
    source = open_dicom(data, limits)
    copy = _clean_header(source.header)
    _write_pixels(copy, source)
    stream = BytesIO()
    copy.save_as(stream, enforce_file_format=True)
    return stream.getvalue()


def _clean_header(header: Dataset) -> Dataset:
    """Apply the basic profile, and keep of its result what an image needs."""
    from dicomanonymizer import anonymize_dataset  # noqa: PLC0415 - needed by this task alone

    regions = [_copy_region(item) for item in header.get("SequenceOfUltrasoundRegions") or []]
    device = {name: header[name].value for name in ("Manufacturer", "ManufacturerModelName") if name in header}
    anonymize_dataset(header)
    copy = Dataset()
    for name in _KEPT:
        if name in header:
            copy[name] = header[name]
    for name in _EMPTIED:
        setattr(copy, name, "")
    copy.PatientName, copy.PatientID, copy.PatientSex = "Anonymous", "Anonymous", ""
    for name, value in device.items():
        setattr(copy, name, value)
    if regions:
        copy.SequenceOfUltrasoundRegions = regions
    copy.PatientIdentityRemoved, copy.DeidentificationMethod = "YES", _METHOD
    copy.file_meta = FileMetaDataset()
    copy.file_meta.TransferSyntaxUID = RLELossless
    copy.file_meta.MediaStorageSOPClassUID = copy.SOPClassUID
    copy.file_meta.MediaStorageSOPInstanceUID = copy.SOPInstanceUID = generate_uid()
    return copy


def _copy_region(item: Dataset) -> Dataset:
    region = Dataset()
    for name in _REGION_KEPT:
        if name in item:
            region[name] = item[name]
    return region


def _write_pixels(copy: Dataset, source: DicomSource) -> None:
    """Write all frames, one at a time, black outside the B-mode areas."""
    named, _ = find_regions(source.header, source.width, source.height)
    boxes: list[Roi] = [region.box for region in named]
    frames = []
    shape: tuple[int, ...] = ()
    for image in source.iter_frames(range(source.count)):
        boxes = boxes or [choose_region((), None, to_grey(image))[0].box]
        shape = image.shape
        _describe_pixels(copy, shape)
        frames.append(RLELosslessEncoder.encode(_blacken(image, boxes).tobytes(), **_encoding(copy)))
    if not shape:
        raise ImageError("The DICOM file holds no frames. Export it again.")
    copy.PixelData = encapsulate(frames)
    copy["PixelData"].VR = "OB"
    copy["PixelData"].is_undefined_length = True


def _blacken(image: np.ndarray, boxes: list[Roi]) -> np.ndarray:
    kept = np.zeros_like(image)
    for box in boxes:
        inside = slice(int(box.y0), int(box.y1)), slice(int(box.x0), int(box.x1))
        kept[inside] = blacken_corners(image[inside], to_grey(image[inside]))
    return kept


def _describe_pixels(copy: Dataset, shape: tuple[int, ...]) -> None:
    copy.SamplesPerPixel = 3 if len(shape) == 3 else 1
    copy.PhotometricInterpretation = "RGB" if len(shape) == 3 else "MONOCHROME2"
    if len(shape) == 3:
        copy.PlanarConfiguration = 0
    copy.BitsAllocated = copy.BitsStored = 8
    copy.HighBit, copy.PixelRepresentation = 7, 0


def _encoding(copy: Dataset) -> dict[str, Any]:
    return {
        "rows": copy.Rows,
        "columns": copy.Columns,
        "samples_per_pixel": copy.SamplesPerPixel,
        "bits_allocated": 8,
        "bits_stored": 8,
        "pixel_representation": 0,
        "photometric_interpretation": copy.PhotometricInterpretation,
        "number_of_frames": 1,
        "planar_configuration": 0,
    }

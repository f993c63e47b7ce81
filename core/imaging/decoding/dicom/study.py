"""The study that a DICOM image belongs to: what objects derived from it must repeat; runs in the decoder's process.

This is the one way on which a patient's name leaves a file. It leads into the results of the same study and nowhere
else: not into a log, a file's name, a session or a page.
"""

from pydicom import Dataset
from pydicom.config import RAISE
from pydicom.valuerep import validate_value

from core.errors import ImageError
from core.imaging.decoding.dicom.opening import open_dicom
from core.imaging.decoding.formats import detect_format
from core.imaging.decoding.limits import Limits

_UIDS = ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "SOPClassUID")
_IDENTITY = ("PatientID", "PatientName", "AccessionNumber", "StudyID")
_DESCRIPTION = (
    "IssuerOfPatientID",
    "PatientBirthDate",
    "PatientSex",
    "StudyDate",
    "StudyTime",
    "ReferringPhysicianName",
    "StudyDescription",
    "ImageLaterality",
    "Laterality",
)
_BREAK = "Its {name} breaks the DICOM standard, so that results can't be filed with it. Correct it in the archive."


def decode_study(data: bytes, limits: Limits) -> dict[str, str | int]:
    """Read what results of the same study must repeat.

    Parameters
    ----------
    data : bytes
        The DICOM file.
    limits : Limits
        Limits to keep.

    Returns
    -------
    dict of str to str or int
        UIDs of study, series, instance and class; patient and study by DICOM's keywords, empty where the file has no
        value or one that breaks its type; Rows, Columns, NumberOfFrames.

    Raises
    ------
    ImageError
        If it is no ultrasound DICOM file, or a UID, the patient's id or name can't be repeated.
    """
    if detect_format(data) != "DICOM":
        raise ImageError("The file is no DICOM file, so that it names no study to file results with.")
    source = open_dicom(data, limits)
    found: dict[str, str | int] = {name: _read(source.header, name, strict=True) for name in (*_UIDS, *_IDENTITY)}
    for name in _UIDS:
        if not found[name]:
            raise ImageError(f"The DICOM file has no {name}, so that results can't be filed with it. Export it again.")
    found |= {name: _read(source.header, name, strict=False) for name in _DESCRIPTION}
    return found | {"Rows": source.height, "Columns": source.width, "NumberOfFrames": source.count}


def _read(header: Dataset, name: str, *, strict: bool) -> str:
    """Read one value as text; one that its type does not allow is refused or left empty."""
    if name not in header:
        return ""
    element = header[name]
    text = "" if element.value is None else str(element.value).strip()
    try:
        validate_value(element.VR, text if element.VM < 2 else element.value, RAISE)
    except (ValueError, TypeError):
        if strict:
            raise ImageError(_BREAK.format(name=name)) from None
        return ""
    return text

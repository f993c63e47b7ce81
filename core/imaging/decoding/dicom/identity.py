"""Whose a DICOM file is, and which object of which study, whatever kind; runs in the decoder's process."""

from core.errors import ImageError
from core.imaging.decoding.dicom.opening import read_header
from core.imaging.decoding.dicom.study import write_out
from core.imaging.decoding.formats import detect_format
from core.imaging.decoding.limits import Limits

_NAMES = {
    "patient_id": "PatientID",
    "issuer": "IssuerOfPatientID",
    "name": "PatientName",
    "birth_date": "PatientBirthDate",
    "study": "StudyInstanceUID",
    "series": "SeriesInstanceUID",
    "instance": "SOPInstanceUID",
}


def decode_identity(data: bytes, limits: Limits) -> dict[str, str]:
    """Read what a file says of its patient and its place; "" for what it leaves out."""
    if detect_format(data) != "DICOM":
        raise ImageError("The file is not a DICOM file, so it names no patient.")
    _, header, _ = read_header(data, limits)
    return {
        name: write_out(header[keyword], header).strip("\0 \n") if keyword in header else ""
        for name, keyword in _NAMES.items()
    }

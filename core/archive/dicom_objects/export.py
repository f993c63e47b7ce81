"""A case's results as DICOM: Secondary Capture of the overlay, Structured Report and encapsulated PDF.

Results of a DICOM source are filed in the source's own study, as DICOM requires: its patient and study modules are
repeated in them. A patient's name thus passes from the source's bytes to the bytes of these objects. It passes nowhere
else, so that this module takes bytes, gives bytes, writes no file, logs nothing and keeps nothing.

UIDs are hashes of the source, the bundle, the inputs and the object's own content. The same case exported again is the
same objects, and an archive that has them can tell.
"""

import datetime
import hashlib
import json
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import numpy as np
from highdicom import SOPClass
from highdicom.coding_schemes import CodingSchemeIdentificationItem
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.dataelem import DataElement

from core import __version__
from core.archive.dicom_objects.codes import PRIVATE_SCHEME
from core.archive.dicom_objects.objects import make_capture, make_document
from core.archive.dicom_objects.report import NAME, make_report
from core.archive.dicom_objects.study import Study, derive_uid, open_study
from core.errors import ImageError, InputError
from core.imaging import Roi
from core.inference import Case, Prediction
from core.inference.render import describe_use
from models.bundle import Bundle

CAPTURE, REPORT, DOCUMENT = "sc.dcm", "sr.dcm", "report.dcm"
SERIES = {CAPTURE: 9001, REPORT: 9002, DOCUMENT: 9003}
DESCRIPTIONS = {
    CAPTURE: "SonoKi heat map, research use only",
    REPORT: "SonoKi estimate of Ki-67, research use only",
    DOCUMENT: "SonoKi document, research use only",
}


@dataclass(frozen=True)
class CaseResults:
    """What is exported of one case.

    Parameters
    ----------
    prediction : Prediction
        The estimate; not one that was refused.
    bundle : Bundle
        The bundle that gave it.
    case : Case
        Frame, box and clinical values that it was made from.
    overlay : ndarray of uint8, (rows, columns, 3)
        RGB: the heat map over the frame, which fills the width from the top, and below it the legend, with the words
        "research use only".
    created : datetime
        When; written as it stands, so give the local time of the archive.
    document : bytes or None
        The case's PDF, if there is one.
    """

    prediction: Prediction
    bundle: Bundle
    case: Case
    overlay: NDArray[np.uint8]
    created: datetime.datetime
    document: bytes | None = None

    def __post_init__(self) -> None:
        if self.prediction.applicability.status == "refused":
            raise InputError("No estimate was made of this image, so that there is nothing to export.")
        if self.overlay.ndim != 3 or self.overlay.shape[2] != 3 or self.overlay.dtype != np.uint8:
            raise ImageError("The overlay must be RGB pixels of 8 bits.")
        if self.document is not None and not self.document.startswith(b"%PDF-"):
            raise InputError("The document is no PDF file. Give the case's PDF.")

    @property
    def key(self) -> str:
        """Hash of bundle, version and everything that went into the estimate."""
        roi, frame = self.case.roi, self.case.frame
        inputs = {
            "bundle": self.bundle.sha256,
            "version": __version__,
            "input": self.prediction.reading.input_sha256,
            "frame": frame.frame_index,
            "roi": [roi.x0, roi.y0, roi.x1, roi.y1],
            "clinical": {name: str(value) for name, value in sorted(self.case.clinical.items())},
        }
        return _hash(json.dumps(inputs).encode())


def export_case(results: CaseResults, source: bytes | None = None, *, pseudonym: str | None = None) -> dict[str, bytes]:
    """Write a case's results as DICOM files.

    Parameters
    ----------
    results : CaseResults
        What is exported.
    source : bytes, optional
        The DICOM file that the frame was read from; results then belong to its study and name its patient. Without
        it, or with a file that is no DICOM file, they form a new study of a pseudonym.
    pseudonym : str, optional
        Patient ID of a new study; by default one derived from the file's hash.

    Returns
    -------
    dict of str to bytes
        "sc.dcm", "sr.dcm" and, if there is a document, "report.dcm". Same input and time, same bytes.

    Raises
    ------
    ImageError
        If the source is not the frame's file, or its study can't be repeated.
    """
    study = open_study(results.case.frame, source, pseudonym=pseudonym, created=results.created)
    comment = f"Bundle {results.bundle.name} {results.bundle.sha256[:12]}. {describe_use(results.bundle)}"
    content = _hash(results.overlay.tobytes())
    capture = make_capture(results.overlay, study, comment=comment, options=_describe(results, study, CAPTURE, content))
    report = make_report(
        results.prediction,
        results.bundle,
        case=results.case,
        study=study,
        region=_choose_region(results, study, capture),
        options=_describe(results, study, REPORT, "")
        | {"coding_schemes": [CodingSchemeIdentificationItem(PRIVATE_SCHEME, responsible_organization=NAME)]},
    )
    objects: dict[str, SOPClass] = {CAPTURE: capture, REPORT: report}
    if results.document is not None:
        options = _describe(results, study, DOCUMENT, _hash(results.document))
        objects[DOCUMENT] = make_document(results.document, study, title=DESCRIPTIONS[DOCUMENT], options=options)
    return {name: _encode(made, study, results.created) for name, made in objects.items()}


def _describe(results: CaseResults, study: Study, name: str, content: str) -> dict[str, Any]:
    """UIDs, series and equipment of one object; its UIDs change with its content."""
    parts = (study.uid, study.key, results.key, name, content)
    return {
        "series_instance_uid": derive_uid("series", *parts),
        "series_number": SERIES[name],
        "sop_instance_uid": derive_uid("instance", *parts),
        "instance_number": 1,
        "series_description": DESCRIPTIONS[name],
        "manufacturer": NAME,
        "manufacturer_model_name": NAME,
        "software_versions": __version__,
        "device_serial_number": results.bundle.sha256,
        "specific_character_set": "ISO_IR 192",
    }


def _choose_region(results: CaseResults, study: Study, capture: Dataset) -> tuple[Dataset, Roi]:
    """Mark the lesion on the source image where there is one, else on the frame as the overlay shows it."""
    frame, roi = results.case.frame, results.case.roi
    if study.image is not None:
        return _fill_patient(study.image), frame.to_source(roi)
    scale = results.overlay.shape[1] / frame.width
    image = Dataset()
    for name in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "SOPClassUID", "Columns"):
        setattr(image, name, capture[name].value)
    image.Rows = min(int(capture.Rows), round(scale * frame.height))
    return _fill_patient(image), Roi(scale * roi.x0, scale * roi.y0, scale * roi.x1, scale * roi.y1)


def _fill_patient(image: Dataset) -> Dataset:
    """Give an image the empty patient and study that highdicom asks for; it would log a name that it does not like."""
    for name in ("PatientID", "PatientName", "PatientBirthDate", "PatientSex", "AccessionNumber", "StudyID"):
        setattr(image, name, "")
    image.StudyDate = image.StudyTime = ""
    return image


def _encode(made: SOPClass, study: Study, created: datetime.datetime) -> bytes:
    """Put patient, study and time into an object, and write it."""
    for element in study.header:
        made[element.tag] = DataElement(element.tag, element.VR, element.value)
    date, time = f"{created:%Y%m%d}", f"{created:%H%M%S}"
    for item in made.get("ContributingEquipmentSequence", ()):
        item.ContributionDateTime = date + time
    for name in ("InstanceCreationDate", "ContentDate", "DateOfSecondaryCapture"):
        if name in made:
            setattr(made, name, date)
            setattr(made, name.replace("Date", "Time"), time)
    buffer = BytesIO()
    made.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()

"""The two objects beside the report: the overlay as Secondary Capture, the document as encapsulated PDF."""

from typing import Any

import numpy as np
from highdicom import SOPClass
from highdicom.sc import SCImage
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.uid import EncapsulatedPDFStorage, ExplicitVRLittleEndian

from core.archive.dicom_objects import codes as concepts
from core.archive.dicom_objects.study import Study

DERIVATION = "Influence of the image on the estimate, in colours over the B-mode area. Research use only."


def make_capture(overlay: NDArray[np.uint8], study: Study, *, comment: str, options: dict[str, Any]) -> SCImage:
    """Make a Secondary Capture of the overlay.

    Parameters
    ----------
    overlay : ndarray of uint8, (rows, columns, 3)
        RGB.
    study : Study
        Where it is filed.
    comment : str
        Bundle, time and intended use.
    options : dict
        UIDs and the like, as `highdicom.sc.SCImage` takes them.

    Returns
    -------
    SCImage
        The object, still without patient and study.
    """
    capture = SCImage(
        overlay,
        "RGB",
        8,
        "PATIENT",
        study_instance_uid=study.uid,
        patient_orientation=("L", "F"),
        transfer_syntax_uid=ExplicitVRLittleEndian,
        **options,
    )
    for name, value in {"PatientOrientation": None, "Laterality": study.side or None}.items():
        setattr(capture, name, value)
    capture.ImageComments, capture.DerivationDescription = comment, DERIVATION
    if study.image is not None:
        item = _refer(study.image)
        item.PurposeOfReferenceCodeSequence = [concepts.SOURCE_IMAGE]
        item.SpatialLocationsPreserved = "NO"
        capture.SourceImageSequence = [item]
    return capture


def make_document(document: bytes, study: Study, *, title: str, options: dict[str, Any]) -> SOPClass:
    """Encapsulate a PDF document.

    Parameters
    ----------
    document : bytes
        PDF.
    study : Study
        Where it is filed.
    title : str
        Title of the document.
    options : dict
        UIDs and the like, as `highdicom.SOPClass` takes them.

    Returns
    -------
    SOPClass
        The object, still without patient and study.
    """
    encapsulated = SOPClass(
        study_instance_uid=study.uid,
        sop_class_uid=EncapsulatedPDFStorage,
        modality="DOC",
        transfer_syntax_uid=ExplicitVRLittleEndian,
        **options,
    )
    encapsulated.ConversionType = "WSD"
    encapsulated.AcquisitionDateTime = None
    encapsulated.BurnedInAnnotation = "YES"
    encapsulated.DocumentTitle = title
    encapsulated.ConceptNameCodeSequence = []
    encapsulated.MIMETypeOfEncapsulatedDocument = "application/pdf"
    encapsulated.EncapsulatedDocumentLength = len(document)
    encapsulated.EncapsulatedDocument = document + b"\0" * (len(document) % 2)
    if study.image is not None:
        encapsulated.SourceInstanceSequence = [_refer(study.image)]
    return encapsulated


def _refer(image: Dataset) -> Dataset:
    item = Dataset()
    item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = image.SOPClassUID, image.SOPInstanceUID
    return item

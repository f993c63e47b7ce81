"""The two objects beside the report: the overlay as Secondary Capture, the document as encapsulated PDF."""

from typing import Any

import numpy as np
from highdicom import SOPClass
from highdicom.sc import SCImage
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.uid import EncapsulatedPDFStorage, ExplicitVRLittleEndian

from core.archive.dicom_objects import codes as concepts
from core.archive.dicom_objects.study import LOSSY, Study

DERIVATION = "Influence of the image on the estimate, in colours over the B-mode area. Research use only."


def make_capture(
    overlay: NDArray[np.uint8],
    study: Study,
    *,
    source: tuple[Dataset, int] | None,
    comment: str,
    options: dict[str, Any],
) -> SCImage:
    """Make a Secondary Capture of the overlay, RGB, still without patient and study.

    The source is a data set and its frame, from 0; options are those of `highdicom.sc.SCImage`.
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
    capture.BurnedInAnnotation = "YES"  # whatever was written on the frame is in it
    capture.ImageComments, capture.DerivationDescription = comment, DERIVATION
    if source is not None:
        image, frame_index = source
        keep_lossy(capture, image)
        item = _refer(image)
        if image.NumberOfFrames > 1:
            item.ReferencedFrameNumber = frame_index + 1
        item.PurposeOfReferenceCodeSequence = [concepts.SOURCE_IMAGE]
        item.SpatialLocationsPreserved = "NO"
        capture.SourceImageSequence = [item]
    return capture


def make_document(document: bytes, study: Study, *, title: str, options: dict[str, Any]) -> SOPClass:
    """Encapsulate a PDF document, still without patient and study. Options are those of `highdicom.SOPClass`."""
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
        keep_lossy(encapsulated, study.image)
    return encapsulated


def keep_lossy(made: Dataset, image: Dataset) -> None:
    """Say of an object with pixels of the source that these were compressed with loss, where they were."""
    for name in LOSSY:
        if name in image:
            made[name] = image[name]


def _refer(image: Dataset) -> Dataset:
    item = Dataset()
    item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = image.SOPClassUID, image.SOPInstanceUID
    return item

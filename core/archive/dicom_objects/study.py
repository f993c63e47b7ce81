"""Which patient, study and image the exported objects belong to: the source's own, or a new study with a pseudonym."""

import hashlib
import uuid
from dataclasses import dataclass

from pydicom import Dataset
from pydicom.uid import (
    EnhancedUSVolumeStorage,
    MultiFrameGrayscaleByteSecondaryCaptureImageStorage,
    MultiFrameGrayscaleWordSecondaryCaptureImageStorage,
    MultiFrameSingleBitSecondaryCaptureImageStorage,
    MultiFrameTrueColorSecondaryCaptureImageStorage,
    UltrasoundMultiFrameImageStorage,
)

from core.errors import ImageError
from core.imaging import Frame
from core.imaging.decoding.formats import detect_format
from core.imaging.identity import Identity
from core.imaging.intake import read_study
from core.imaging.side import settle_side

NAMESPACE = uuid.UUID("6f4b8f0e-3c55-5d0a-9a4e-5b7f0c6f67a1")
MULTI_FRAME = (
    UltrasoundMultiFrameImageStorage,
    EnhancedUSVolumeStorage,
    MultiFrameSingleBitSecondaryCaptureImageStorage,
    MultiFrameGrayscaleByteSecondaryCaptureImageStorage,
    MultiFrameGrayscaleWordSecondaryCaptureImageStorage,
    MultiFrameTrueColorSecondaryCaptureImageStorage,
)
RETIRED = {"1.2.840.10008.5.1.4.1.1.3", "1.2.840.10008.5.1.4.1.1.6"}  # ultrasound of 1993
NO_METHOD = "Not stated"
REPEATED = (
    "PatientID",
    "PatientName",
    "IssuerOfPatientID",
    "PatientBirthDate",
    "PatientSex",
    "StudyInstanceUID",
    "StudyDate",
    "StudyTime",
    "StudyID",
    "AccessionNumber",
    "ReferringPhysicianName",
    "StudyDescription",
    "TimezoneOffsetFromUTC",
    "PatientIdentityRemoved",
    "DeidentificationMethod",
)
OPTIONAL = {"IssuerOfPatientID", "StudyDescription", *REPEATED[-3:]}
LOSSY = ("LossyImageCompression", "LossyImageCompressionRatio", "LossyImageCompressionMethod")
SEXES = {"M", "F", "O"}


@dataclass(frozen=True)
class Study:
    """Where exported objects are filed."""

    header: Dataset  # patient and study modules; of a source they identify the patient
    # UIDs, Rows, Columns, NumberOfFrames (as many as its class allows), SamplesPerPixel, PhotometricInterpretation,
    # window and lookup tables, and lossy compression of the source image; None where there is no DICOM source
    image: Dataset | None
    key: str  # what the UIDs of derived objects start from
    side: str = ""  # "L", "R", "", breast, where the source or the form says it

    @property
    def uid(self) -> str:
        """Study Instance UID."""
        return str(self.header.StudyInstanceUID)


def derive_uid(*parts: str) -> str:
    """Derive a UID by hash: the same parts give the same UID, on every machine."""
    digest = hashlib.sha256("\n".join(parts).encode()).hexdigest()
    return f"2.25.{uuid.uuid5(NAMESPACE, digest).int}"


def open_study(frame: Frame, source: bytes | None, *, pseudonym: str | None, side: str | None) -> Study:
    """Find the study of a case."""
    if source is not None and hashlib.sha256(source).hexdigest() != frame.sha256:
        raise ImageError("The source is another file than the one that the estimate was made from. Give that one.")
    if source is None or detect_format(source) != "DICOM":
        return _new_study(frame, pseudonym, settle_side("", side))
    return _source_study(read_study(source), side)


def find_image(frame: Frame, source: bytes | None, study: Study) -> Dataset | None:
    """Find the source image of a further view."""
    if study.image is None:
        return None
    other = open_study(frame, source, pseudonym=None, side=None)
    one, another = _identify(study.header), _identify(other.header)
    if other.image is not None and (one.patient_id != another.patient_id or one.is_another(another)):
        raise ImageError("The views are of different patients. Leave out those that are not of this one.")
    if study.side and other.side not in {"", study.side}:
        raise ImageError("The views are of both breasts. Leave out those of the other one, or correct the side first.")
    return other.image


def _identify(header: Dataset) -> Identity:
    names = ("PatientID", "IssuerOfPatientID", "PatientName", "PatientBirthDate")
    return Identity(*(str(header.get(name) or "") for name in names))


def _new_study(frame: Frame, pseudonym: str | None, side: str) -> Study:
    name = pseudonym or f"SONOKI-{frame.sha256[:12].upper()}"
    header = _repeat({"PatientID": name, "PatientName": f"{name[:63]}^", "StudyID": "1"})
    header.StudyInstanceUID = derive_uid("study", frame.sha256, name)
    return Study(header, None, frame.sha256, side)


def _source_study(found: dict[str, str | int], side: str | None) -> Study:
    if found["SOPClassUID"] in RETIRED:
        raise ImageError(
            f"The file is of a retired class of ultrasound images ({found['SOPClassUID']}), to which results can't "
            "point. Convert it in the archive."
        )
    sex, method = found["PatientSex"], found["DeidentificationMethod"]
    if found["PatientIdentityRemoved"] == "YES" and not method:
        method = NO_METHOD
    header = _repeat(found | {"PatientSex": sex if sex in SEXES else "", "DeidentificationMethod": method})
    image = Dataset()
    for name in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "SOPClassUID"):
        setattr(image, name, found[name])
    for name in ("Rows", "Columns", "SamplesPerPixel", "PhotometricInterpretation"):
        setattr(image, name, found[name])
    image.NumberOfFrames = found["NumberOfFrames"] if image.SOPClassUID in MULTI_FRAME else 1
    image.update(Dataset.from_json(str(found["Display"])))
    if found["LossyImageCompression"]:
        for name in (name for name in LOSSY if found[name]):
            setattr(image, name, found[name])
    return Study(header, image, str(found["SOPInstanceUID"]), settle_side(str(found["Side"]), side))


def _repeat(values: dict[str, str] | dict[str, str | int]) -> Dataset:
    header = Dataset()
    for name in REPEATED:
        value = values.get(name, "")
        if value or name not in OPTIONAL:
            setattr(header, name, value)
    return header

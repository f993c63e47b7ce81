"""A case's results as DICOM: Secondary Capture of the overlay, report, presentation state and encapsulated PDF.

Results of a DICOM source are filed in the source's own study, as DICOM requires: its patient and study modules are
repeated in them. A patient's name thus passes from the source's bytes to the bytes of these objects. It passes nowhere
else, so that this module takes bytes, gives bytes, writes no file, logs nothing and keeps nothing.

UIDs are hashes of the source, the bundle, the inputs and the object's own content. The same case exported again is the
same bytes, and an archive that has them can tell. Dates in them are therefore the study's, never the export's; without
a DICOM source, whose study has none, the one that a report must have is `UNDATED`.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO

import numpy as np
from highdicom import SOPClass
from highdicom.coding_schemes import CodingSchemeIdentificationItem
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.dataelem import DataElement
from pydicom.uid import ComprehensiveSRStorage, EncapsulatedPDFStorage

from core import __version__
from core.archive.dicom_objects.codes import PRIVATE_SCHEME
from core.archive.dicom_objects.objects import make_capture, make_document
from core.archive.dicom_objects.presentation import can_present, make_presentation
from core.archive.dicom_objects.report import NAME, make_report
from core.archive.dicom_objects.study import Study, derive_uid, find_image, open_study
from core.errors import ImageError, InputError
from core.imaging import Roi
from core.imaging.side import find_side
from core.inference import Case, Prediction, View
from core.inference.explain import format_percent
from core.inference.render import describe_use
from models.bundle import Bundle

CAPTURE, REPORT, DOCUMENT, PRESENTATION = "sc.dcm", "sr.dcm", "report.dcm", "pr.dcm"
SERIES = {CAPTURE: 9001, REPORT: 9002, DOCUMENT: 9003, PRESENTATION: 9004}
UNDATED = "19000101", "000000"
DESCRIPTIONS = {
    CAPTURE: "SonoKi heat map, research use only",
    REPORT: "SonoKi estimate of Ki-67, research use only",
    DOCUMENT: "SonoKi document, research use only",
    PRESENTATION: "SonoKi lesion, research use only",
}


@dataclass(frozen=True)
class CaseResults:
    """What is exported of one case."""

    prediction: Prediction  # the estimate; not one that was refused
    bundle: Bundle  # the bundle that gave it
    case: Case  # views with their boxes, and clinical values that it was made from
    # (rows, columns, 3), RGB, one for each view: the heat map over the frame, which fills the width from the top, and
    # below it the legend, with the words "research use only"
    overlays: tuple[NDArray[np.uint8], ...]
    document: bytes | None = None  # the case's PDF, if there is one
    entry: str = ""  # entry of the register that keeps the estimate, NUMBER:HASH; "" where none was made
    # (n, 2), one for each view, or none at all: the lesion's closed outline in pixels of the frame, where one was found
    outlines: tuple[NDArray[np.float64] | None, ...] = ()

    def __post_init__(self) -> None:
        if self.prediction.applicability.status == "refused":
            raise InputError("No estimate was made of this image, so that there is nothing to export.")
        if any(image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 for image in self.overlays):
            raise ImageError("The overlay must be RGB pixels of 8 bits.")
        if len(self.overlays) != len(self.case.views):
            raise ImageError("Each view needs an overlay.")
        if len(self.outlines) not in {0, len(self.case.views)}:
            raise ImageError("Outlines are given for each view, or for none.")
        if self.document is not None and not self.document.startswith(b"%PDF-"):
            raise InputError("The document is not a PDF file. Give the case's PDF.")

    @property
    def key(self) -> str:
        """Hash of bundle, version and everything that went into the estimate."""
        inputs = {
            "bundle": self.bundle.sha256,
            "version": __version__,
            "input": self.prediction.input_sha256,
            "frames": [view.frame.frame_index for view in self.case.views],
            "boxes": [[view.roi.x0, view.roi.y0, view.roi.x1, view.roi.y1] for view in self.case.views],
            "clinical": {name: str(value) for name, value in sorted(self.case.clinical.items())},
            "side": self.case.side,
        }
        return _hash(json.dumps(inputs).encode())


def export_case(
    results: CaseResults, sources: Sequence[bytes | None] = (), *, pseudonym: str | None = None
) -> dict[str, bytes]:
    """Write a case's results as DICOM files.

    Parameters
    ----------
    results : CaseResults
        What is exported.
    sources : sequence of bytes or None
        The file that each view was read from. Where the first is a DICOM file, results belong to its study and name
        its patient; else they form a new study of a pseudonym.
    pseudonym : str, optional
        Patient ID of a new study; by default one derived from the file's hash.

    Returns
    -------
    dict of str to bytes
        "sc.dcm", "sr.dcm", with a DICOM source "pr.dcm" and, if there is a document, "report.dcm"; of further views
        "sc-2.dcm", "pr-2.dcm" and so on. Same input, same bytes.

    Raises
    ------
    ImageError
        If a source is not its view's file, names another patient, its study can't be repeated, or the sources and the
        form name more than one breast.
    """
    views = results.case.views
    given = [*sources, *[None] * (len(views) - len(sources))]
    study = open_study(
        views[0].frame,
        given[0],
        pseudonym=pseudonym,
        side=find_side((view.frame for view in views), None) if results.case.side is None else results.case.side,
    )
    images = [
        study.image,
        *(find_image(v.frame, source, study) for v, source in zip(views[1:], given[1:], strict=True)),
    ]
    comment = f"Bundle {results.bundle.name} {results.bundle.sha256[:12]}. {describe_use(results.bundle)}"
    content = _hash(b"".join(overlay.tobytes() for overlay in results.overlays))
    captures = {
        _number(CAPTURE, i): make_capture(
            results.overlays[i],
            study,
            source=None if image is None else (image, views[i].frame.frame_index),
            comment=comment,
            options=_describe(results, study, CAPTURE, content, i),
        )
        for i, image in enumerate(images)
    }
    regions = [
        _choose_region(view, image, overlay, capture)
        for view, image, overlay, capture in zip(views, images, results.overlays, captures.values(), strict=True)
    ]
    report = make_report(
        results.prediction,
        results.bundle,
        case=results.case,
        study=study,
        regions=regions,
        entry=results.entry,
        options=_describe(results, study, REPORT, results.entry)
        | {"coding_schemes": [CodingSchemeIdentificationItem(PRIVATE_SCHEME, responsible_organization=NAME)]},
    )
    objects: dict[str, SOPClass] = {**captures, REPORT: report}
    if results.document is not None:
        options = _describe(results, study, DOCUMENT, _hash(results.document))
        objects[DOCUMENT] = make_document(results.document, study, title=DESCRIPTIONS[DOCUMENT], options=options)
    for i, (image, box) in enumerate(regions):
        if images[i] is not None and can_present(image, views[i].frame.frame_index):
            objects[_number(PRESENTATION, i)] = _present(results, study, i, image, box)
    return {name: _encode(made, study) for name, made in objects.items()}


def _present(results: CaseResults, study: Study, i: int, image: Dataset, box: Roi) -> SOPClass:
    """Draw a view's box, its outline and the estimate over its source image."""
    frame = results.case.views[i].frame
    outline = results.outlines[i] if results.outlines else None
    if outline is not None:
        outline = outline / frame.source_scale + frame.origin
    made = make_presentation(
        image,
        box,
        outline,
        frame_index=frame.frame_index,
        text=f"Ki-67 high: {format_percent(results.prediction.probability)}. Research use only",
        options=_describe(results, study, PRESENTATION, "" if outline is None else _hash(outline.tobytes()), i),
    )
    made.Laterality = study.side or None
    return made


def _number(name: str, i: int) -> str:
    """Name the object of the i-th view, from 0."""
    return name if i == 0 else name.replace(".", f"-{i + 1}.")


def _describe(results: CaseResults, study: Study, name: str, content: str, number: int = 0) -> dict[str, object]:
    """UIDs, series and equipment of one object; its UIDs change with its content."""
    parts = (study.uid, study.key, results.key, name, content)
    return {
        "series_instance_uid": derive_uid("series", *parts),
        "series_number": SERIES[name],
        "sop_instance_uid": derive_uid("instance", *parts, *([str(number)] if number else [])),
        "instance_number": number + 1,
        "series_description": DESCRIPTIONS[name],
        "manufacturer": NAME,
        "manufacturer_model_name": NAME,
        "software_versions": __version__,
        "device_serial_number": results.bundle.sha256,
        "specific_character_set": "ISO_IR 192",
    }


def _choose_region(
    view: View, image: Dataset | None, overlay: NDArray[np.uint8], capture: Dataset
) -> tuple[Dataset, Roi]:
    """Mark the lesion on the source image where there is one, else on the frame as the overlay shows it."""
    frame, roi = view.frame, view.roi
    if image is not None:
        return _fill_patient(image), frame.to_source(roi)
    scale = overlay.shape[1] / frame.width
    shown = Dataset()
    for name in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "SOPClassUID", "Columns"):
        setattr(shown, name, capture[name].value)
    shown.Rows = min(int(capture.Rows), round(scale * frame.height))
    return _fill_patient(shown), Roi(scale * roi.x0, scale * roi.y0, scale * roi.x1, scale * roi.y1)


def _fill_patient(image: Dataset) -> Dataset:
    """Give an image the empty patient and study that highdicom asks for; it would log a name that it does not like."""
    for name in ("PatientID", "PatientName", "PatientBirthDate", "PatientSex", "AccessionNumber", "StudyID"):
        setattr(image, name, "")
    image.StudyDate = image.StudyTime = ""
    return image


def _encode(made: SOPClass, study: Study) -> bytes:
    """Put patient, study and the study's time into an object, and write it."""
    for element in study.header:
        made[element.tag] = DataElement(element.tag, element.VR, element.value)
    _date(made, str(study.header.get("StudyDate") or ""), str(study.header.get("StudyTime") or ""))
    buffer = BytesIO()
    made.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def _date(made: SOPClass, date: str, time: str) -> None:
    """Give the study's date where an object must have one, and leave out the others, which highdicom sets to now."""
    for item in made.get("ContributingEquipmentSequence", ()):
        item.pop("ContributionDateTime", None)
    for name in ("InstanceCreation", "DateOfSecondaryCapture", "TimeOfSecondaryCapture", "Content"):
        for keyword in (name, f"{name}Date", f"{name}Time"):
            made.pop(keyword, None)
    date, time = (date, time or UNDATED[1]) if date else UNDATED
    for name, kind in {"Content": ComprehensiveSRStorage, "PresentationCreation": None}.items():
        if made.SOPClassUID == kind or f"{name}Date" in made:
            setattr(made, f"{name}Date", date)
            setattr(made, f"{name}Time", time)
    if made.SOPClassUID == EncapsulatedPDFStorage:
        for keyword in ("ContentDate", "ContentTime"):
            setattr(made, keyword, None)


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()

"""The Structured Report of an estimate: TID 1500, one lesion with its box, figures and codes."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from highdicom.sr import (
    AlgorithmIdentification,
    CodedConcept,
    ComprehensiveSR,
    DeviceObserverIdentifyingAttributes,
    FindingSite,
    ImageRegion,
    Measurement,
    MeasurementReport,
    MeasurementsAndQualitativeEvaluations,
    ObservationContext,
    ObserverContext,
    PlanarROIMeasurementsAndQualitativeEvaluations,
    QualitativeEvaluation,
    SourceImageForRegion,
    TrackingIdentifier,
)
from pydicom import Dataset
from pydicom.sr.codedict import codes

from core import __version__
from core.archive.dicom_objects import codes as concepts
from core.archive.dicom_objects.study import Study, derive_uid
from core.imaging import Roi
from core.inference import Case, Prediction
from models.bundle import Bundle

NAME = "SonoKi"


def make_report(
    prediction: Prediction,
    bundle: Bundle,
    *,
    case: Case,
    study: Study,
    regions: Sequence[tuple[Dataset, Roi]],
    options: dict[str, Any],
    entry: str,
) -> ComprehensiveSR:
    """Write an estimate as a measurement report.

    The report is complete, preliminary and unverified: no physician has signed it.

    Parameters
    ----------
    prediction : Prediction
        The estimate.
    bundle : Bundle
        The bundle that gave it.
    case : Case
        What it was made from.
    study : Study
        Where it is filed.
    regions : sequence of (Dataset, Roi)
        For each view, the image that the lesion is marked on, and the box in its pixels.
    options : dict
        UIDs and the like, as `highdicom.sr.ComprehensiveSR` takes them.
    entry : str
        Entry of the register that keeps the estimate, NUMBER:HASH; "" where none does.

    Returns
    -------
    ComprehensiveSR
        The report, still without patient and study.
    """
    is_alone = len(regions) == 1
    tracking = _track(study, prediction.input_sha256, "Lesion 1")
    common: dict[str, Any] = {
        "finding_type": concepts.MASS,
        "algorithm_id": _identify_algorithm(prediction, bundle, entry),
        "finding_sites": [FindingSite(concepts.BREAST, concepts.SIDES.get(study.side))],
    }
    joint = common | {
        "measurements": _list_measurements(prediction, bundle),
        "qualitative_evaluations": _list_evaluations(prediction, bundle, case),
    }
    marks = [_mark_box(*region, view.frame.frame_index) for region, view in zip(regions, case.views, strict=True)]
    groups: list[Any] = (
        [PlanarROIMeasurementsAndQualitativeEvaluations(tracking, referenced_region=marks[0], **joint)]
        if is_alone
        else [MeasurementsAndQualitativeEvaluations(tracking, **joint)]
    )
    if not is_alone:
        for number, (mark, view) in enumerate(zip(marks, prediction.views, strict=True), start=1):
            own = _track(study, view.reading.input_sha256, f"Lesion 1, view {number}")
            measured = [
                Measurement(concepts.PROBABILITY_OF_VIEW, round(100 * view.probability, 4), concepts.PERCENT),
                Measurement(concepts.SHARE_OF_VIEW, round(view.contribution, 6), concepts.NO_UNIT),
            ]
            groups.append(
                PlanarROIMeasurementsAndQualitativeEvaluations(
                    own, referenced_region=mark, measurements=measured, **common
                )
            )
    content = MeasurementReport(
        observation_context=ObservationContext(observer_device_context=_name_observer(bundle)),
        procedure_reported=concepts.ULTRASOUND_OF_BREAST,
        imaging_measurements=groups,
        title=concepts.MEASUREMENT_REPORT,
    )
    return ComprehensiveSR(evidence=_list_evidence(regions), content=content[0], is_complete=True, **options)


def _track(study: Study, sha256: str, name: str) -> TrackingIdentifier:
    return TrackingIdentifier(uid=derive_uid("lesion", study.key, sha256), identifier=name)


def _list_evidence(regions: Sequence[tuple[Dataset, Roi]]) -> list[Dataset]:
    """Name each image once; two frames of one loop are one image."""
    return list({str(image.SOPInstanceUID): image for image, _ in regions}.values())


def _name_observer(bundle: Bundle) -> ObserverContext:
    device = DeviceObserverIdentifyingAttributes(
        uid=derive_uid("device", NAME, __version__, bundle.sha256),
        name=NAME,
        manufacturer_name=NAME,
        model_name=f"{NAME} {__version__}",
    )
    return ObserverContext(codes.DCM.Device, device)


def _mark_box(image: Dataset, box: Roi, frame_index: int) -> ImageRegion:
    """Draw the box as a closed line in pixels of the image, within its borders."""
    x0, x1 = (min(max(x, 0.0), float(image.Columns)) for x in (box.x0, box.x1))
    y0, y1 = (min(max(y, 0.0), float(image.Rows)) for y in (box.y0, box.y1))
    frames = [frame_index + 1] if int(image.get("NumberOfFrames", 1)) > 1 else None
    return ImageRegion(
        "POLYLINE",
        np.array([(x0, y0), (x1, y0), (x1, y1), (x0, y1), (x0, y0)]),
        SourceImageForRegion(image.SOPClassUID, image.SOPInstanceUID, frames),
    )


def _identify_algorithm(prediction: Prediction, bundle: Bundle, entry: str) -> AlgorithmIdentification:
    imputed = ", ".join(prediction.imputed) or "none"
    return AlgorithmIdentification(
        name=f"{NAME}, bundle {bundle.name}",
        version=__version__,
        manufacturer=NAME,
        parameters=[
            f"bundle sha256 {bundle.sha256}",
            f"input sha256 {prediction.input_sha256}",
            f"inputs not known, expected from the others: {imputed}",
            *([f"entry of the register {entry}"] if entry else []),
        ],
    )


def _list_measurements(prediction: Prediction, bundle: Bundle) -> list[Measurement]:
    low, high = prediction.interval
    shares = {
        concepts.PROBABILITY: prediction.probability,
        concepts.PROBABILITY_LOW: low,
        concepts.PROBABILITY_HIGH: high,
        concepts.THRESHOLD: prediction.threshold,
        concepts.CUTOFF: bundle.cutoff.value / 100,
    }
    return [Measurement(name, round(100 * share, 4), concepts.PERCENT) for name, share in shares.items()]


def _list_evaluations(prediction: Prediction, bundle: Bundle, case: Case) -> list[QualitativeEvaluation]:
    call = "none" if prediction.is_no_call else prediction.group
    pairs: list[tuple[CodedConcept, CodedConcept]] = [
        (concepts.QUANTITY, concepts.KI67),
        (concepts.CALL, concepts.CALLS[call]),
        (concepts.FITNESS, concepts.FITNESSES[prediction.applicability.status]),
        (concepts.USE, concepts.RESEARCH_USE),
        (concepts.TRAINING_DATA, concepts.SIMULATED if bundle.is_simulated else concepts.CLINICAL),
    ]
    birads = concepts.BIRADS.get(str(case.clinical.get("birads")))
    if birads is not None:
        pairs.append((concepts.OVERALL_ASSESSMENT, birads))
    return [QualitativeEvaluation(name, value) for name, value in pairs]

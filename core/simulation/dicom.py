"""Simulated frames as ultrasound DICOM, with the region and scale that a device writes."""

from collections.abc import Mapping
from io import BytesIO

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian, UltrasoundImageStorage, generate_uid

from core.simulation.frame import SimulatedFrame
from core.simulation.overlay import NOTICE

CENTIMETRES = 3
TISSUE = 1
TWO_DIMENSIONAL = 1


def encode_dicom(frame: SimulatedFrame, patient: Mapping[str, str], seed: int) -> bytes:
    """Encode a frame as an Ultrasound Image Storage instance."""
    data = Dataset()
    data.file_meta = FileMetaDataset()
    _identify(data, patient, seed)
    _describe_device(data, frame)
    _add_pixels(data, frame)
    data.SequenceOfUltrasoundRegions = Sequence([_make_region(frame)])
    buffer = BytesIO()
    data.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def _identify(data: Dataset, patient: Mapping[str, str], seed: int) -> None:
    name = patient["patient_id"]
    study, series, instance = (generate_uid(entropy_srcs=[name, str(seed), part]) for part in ("study", "series", "1"))
    data.file_meta.MediaStorageSOPClassUID = data.SOPClassUID = UltrasoundImageStorage
    data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID = instance
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data.StudyInstanceUID, data.SeriesInstanceUID = study, series
    data.StudyID = data.AccessionNumber = ""
    data.SeriesNumber = data.InstanceNumber = 1
    data.Modality = "US"
    data.ImageType = ["ORIGINAL", "PRIMARY"]
    data.StudyDate = data.ContentDate = patient["exam_date"].replace("-", "")
    data.StudyTime = data.ContentTime = "120000"
    data.PatientName, data.PatientID = "SYNTHETIC^NOT A PATIENT", name
    data.PatientBirthDate, data.PatientSex = "", "F"
    data.PatientAge = f"{int(patient['age']):03d}Y"
    data.PatientComments = data.ImageComments = NOTICE
    data.StudyDescription = data.SeriesDescription = NOTICE
    data.ReferringPhysicianName = ""
    data.PatientOrientation = ""
    data.ImageLaterality = "L" if patient["laterality"] == "left" else "R"
    data.BodyPartExamined = "BREAST"


def _describe_device(data: Dataset, frame: SimulatedFrame) -> None:
    data.Manufacturer = frame.device.maker
    data.ManufacturerModelName = frame.device.model
    data.TransducerData = frame.device.probe
    data.BurnedInAnnotation = "YES"
    data.LossyImageCompression = "00"


def _add_pixels(data: Dataset, frame: SimulatedFrame) -> None:
    data.Rows, data.Columns = frame.pixels.shape
    data.SamplesPerPixel = 1
    data.PhotometricInterpretation = "MONOCHROME2"
    data.BitsAllocated = data.BitsStored = 8
    data.HighBit, data.PixelRepresentation = 7, 0
    data.PixelData = frame.pixels.tobytes()


def _make_region(frame: SimulatedFrame) -> Dataset:
    layout, region = frame.layout, Dataset()
    region.RegionSpatialFormat, region.RegionDataType, region.RegionFlags = TWO_DIMENSIONAL, TISSUE, 0
    region.RegionLocationMinX0, region.RegionLocationMinY0 = layout.left, layout.top
    region.RegionLocationMaxX1 = layout.left + layout.width - 1
    region.RegionLocationMaxY1 = layout.top + layout.height - 1
    region.PhysicalUnitsXDirection = region.PhysicalUnitsYDirection = CENTIMETRES
    region.PhysicalDeltaX = region.PhysicalDeltaY = frame.mm_per_px / 10
    region.TransducerFrequency = round(frame.device.f0_mhz * 1000)
    return region

"""A DICOM loop with a scale, of frames made from one simulated frame."""

import io
from collections.abc import Sequence

import numpy as np
import pydicom
from numpy.typing import NDArray
from pydicom.uid import UltrasoundMultiFrameImageStorage

from core.simulation import SimulatedFrame
from core.simulation.dicom import encode_dicom

PATIENT = {"patient_id": "T-1", "exam_date": "2024-01-02", "age": "50", "laterality": "left"}


def encode_loop(frame: SimulatedFrame, frames: Sequence[NDArray[np.uint8]]) -> bytes:
    """Write frames of the simulated one's size as a loop of its patient and scale."""
    loop = pydicom.dcmread(io.BytesIO(encode_dicom(frame, PATIENT, seed=1)))
    loop.file_meta.MediaStorageSOPClassUID = loop.SOPClassUID = UltrasoundMultiFrameImageStorage
    loop.NumberOfFrames = len(frames)
    loop.PixelData = b"".join(one.tobytes() for one in frames)
    buffer = io.BytesIO()
    loop.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def encode_drift(frame: SimulatedFrame, count: int) -> bytes:
    """Write a loop in which the probe drifts by a pixel every other frame."""
    return encode_loop(frame, [np.roll(frame.pixels, i // 2, axis=1) for i in range(count)])

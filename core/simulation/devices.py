"""One ultrasound device profile a centre; names are made up."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

SOUND_MM_PER_US = 1.54
APERTURE_MM = 38.0
MAKER = "Simulated"


@dataclass(frozen=True)
class Device:
    """An ultrasound device as a centre has set it up."""

    # maker, model, probe: made-up names
    maker: str
    model: str
    probe: str
    # f0_mhz, bandwidth: centre frequency and fractional bandwidth
    f0_mhz: float
    bandwidth: float
    f_number: float  # focal length over aperture
    looks: int  # independent looks that are compounded
    k_shape: float  # shape of the gamma-distributed scatterer density; small is clumpy
    # dynamic_range_db, gain_db, gamma: display: range, gain, exponent of the grey map
    dynamic_range_db: float
    gain_db: float
    gamma: float
    edge: float  # strength of the device's edge enhancement
    frame: tuple[int, int]  # width and height of a frame in pixels
    image_height: int  # height of the B-mode image in the frame, in pixels
    ticks: Literal["left", "right"]  # side of the depth ticks
    # caliper_rate, doppler_rate, text_rate: share of frames with calipers, with the outline of a Doppler box, with a
    # body-side text
    caliper_rate: float
    doppler_rate: float
    text_rate: float

    def describe(self) -> str:
        """Name the device in one line."""
        return f"{self.maker} {self.model} {self.probe} {self.f0_mhz:g} MHz"


def is_simulated_device(name: str) -> bool:
    """Whether a device is one of the simulation, by its name in a table or a DICOM header."""
    return name.startswith(f"{MAKER} ")


def holds_simulated(patients: pd.DataFrame) -> bool:
    """Whether a table of patients names a simulated device."""
    return "image_device" in patients and any(is_simulated_device(str(name)) for name in patients["image_device"])


DEVICES = {
    "A": Device(
        MAKER, "SIM-US A1", "L10", 10.0, 0.70, 2.2, 2, 3.0, 62, 0.0, 1.0, 0.25, (1024, 768), 640, "left",
        0.55, 0.06, 0.5,
    ),
    "B": Device(
        MAKER, "SIM-US B3", "L12", 12.0, 0.75, 2.4, 3, 4.0, 66, 1.0, 0.95, 0.10, (1280, 960), 800, "right",
        0.70, 0.08, 0.3,
    ),
    "C": Device(
        MAKER, "SIM-US C7", "L9", 9.0, 0.65, 2.2, 2, 2.5, 58, -1.0, 1.05, 0.45, (800, 600), 500, "left",
        0.80, 0.10, 0.7,
    ),
    "D": Device(
        MAKER, "SIM-US D2", "L7", 7.5, 0.60, 2.5, 2, 2.0, 55, 0.5, 1.10, 0.35, (1024, 768), 620, "right",
        0.90, 0.12, 0.4,
    ),
}  # fmt: skip


@dataclass(frozen=True)
class View:
    """Depth and width of the tissue shown, in mm, and the scale of the frame."""

    depth_mm: float
    width_mm: float
    mm_per_px: float


def plan_view(device: Device, size_mm: float, size_ap_mm: float) -> View:
    """Choose depth and width so that the lesion fits, as an examiner does: depth in steps of 5 mm."""
    width = max(APERTURE_MM, 1.35 * size_mm)
    widest_px = 0.86 * device.frame[0]
    needed = max(20 + 1.25 * size_ap_mm, width * device.image_height / widest_px)
    depth = max(30.0, float(np.ceil(needed / 5)) * 5)
    return View(depth, width, round(depth / device.image_height, 6))

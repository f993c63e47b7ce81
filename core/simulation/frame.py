"""One simulated patient's ultrasound frame, with lesion mask, box and scale."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from PIL import Image

from core.simulation.devices import DEVICES, Device, View, plan_view
from core.simulation.fields import Grid, resize_field
from core.simulation.lesion import insert_lesion
from core.simulation.overlay import Box, Bytes, Layout, compose_frame, plan_layout
from core.simulation.parameters import LATENTS
from core.simulation.speckle import render_bmode
from core.simulation.tissue import draw_tissue

GRID_ROWS = 500
GRID_ANISOTROPY = 1.5


@dataclass(frozen=True)
class SimulatedFrame:
    """A frame as a device stores it.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (height, width)
        Grey levels, with everything that the device writes.
    mask : ndarray of uint8, shape (height, width)
        255 inside the lesion's contour, 0 elsewhere.
    box : tuple of int
        Tight box of the mask in pixels: x0, y0, x1, y1, the last exclusive.
    mm_per_px : float
        Scale, the same along both axes.
    layout : Layout
        Where the B-mode image lies in the frame.
    device : Device
        Profile of the device.
    """

    pixels: Bytes
    mask: Bytes
    box: Box
    mm_per_px: float
    layout: Layout
    device: Device


def render_frame(
    rng: np.random.Generator,
    centre: str,
    latents: Mapping[str, float],
    *,
    size_mm: float,
    size_ap_mm: float,
    background: str,
) -> SimulatedFrame:
    """Render the ultrasound frame of one simulated patient.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of randomness; the same state gives the same pixels.
    centre : str
        Centre, which has one device.
    latents : mapping of str to float
        Image latents; `vasc` is not visible.
    size_mm, size_ap_mm : float
        Largest and antero-posterior diameter.
    background : str
        Echotexture of the breast.

    Returns
    -------
    SimulatedFrame
        Pixels, mask, box and scale.
    """
    device = DEVICES[centre]
    view = plan_view(device, size_mm, size_ap_mm)
    grid = _make_grid(view)
    tissue = draw_tissue(rng, grid, background)
    lesion = insert_lesion(rng, grid, tissue.echo_db, {name: latents[name] for name in LATENTS}, size_mm)
    grey = render_bmode(rng, grid, device, lesion.echo_db, tissue.shade_db + lesion.loss_db, lesion.calcifications)
    layout = plan_layout(device, view)
    image = np.clip(resize_field(grey, layout.height, layout.width) * 255 + 0.5, 0, 255).astype(np.uint8)
    mask = _place_mask(lesion.mask, layout, device)
    box = compute_box(mask)
    return SimulatedFrame(
        compose_frame(rng, device, view, image, box, size_mm), mask, box, view.mm_per_px, layout, device
    )


def compute_box(mask: Bytes) -> Box:
    """Compute the tight box of a mask: x0, y0, x1, y1, the last exclusive."""
    rows, cols = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return int(cols[0]), int(rows[0]), int(cols[-1]) + 1, int(rows[-1]) + 1


def _make_grid(view: View) -> Grid:
    dz = view.depth_mm / GRID_ROWS
    cols = round(view.width_mm / (GRID_ANISOTROPY * dz))
    return Grid(GRID_ROWS, cols, dz, view.width_mm / cols)


def _place_mask(mask: np.ndarray, layout: Layout, device: Device) -> Bytes:
    small = Image.fromarray(mask.astype(np.uint8) * 255).resize(
        (layout.width, layout.height), Image.Resampling.BILINEAR
    )
    frame = np.zeros((device.frame[1], device.frame[0]), dtype=np.uint8)
    inside = np.asarray(small) >= 128
    frame[layout.top : layout.top + layout.height, layout.left : layout.left + layout.width][inside] = 255
    return frame

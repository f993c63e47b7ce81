"""Strong colour on a frame, and which of it is flow: its hues vary, where a letter has one."""

import numpy as np

from core.imaging.findings.masks import grow, open_mask

_STRONG, _WEAK = 60, 30
_HUES = 0.4  # letters in JPEG of quality 50 come to 0.35 (nine of ten), flow to 0.42 (half of its pieces)
_SPECK, _THICK, _BROAD, _NEAR = 8, 5, 11, 25
_TINTED = 0.5
_DARK = 12


def find_strong_colour(image: np.ndarray) -> np.ndarray | None:
    """Pixels whose channels differ strongly; None where there are none."""
    if image.ndim == 2:
        return None
    colour = measure_chroma(image) > _STRONG
    return colour if colour.any() else None


def measure_chroma(image: np.ndarray) -> np.ndarray:
    """Give the difference between the highest and the lowest channel; shape (height, width)."""
    red, green, blue = (image[..., channel] for channel in range(3))
    return np.maximum(np.maximum(red, green), blue) - np.minimum(np.minimum(red, green), blue)


def find_flow(image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mark coloured flow, as Doppler shows it, and what is drawn in colour; a picture tinted as a whole has neither."""
    from scipy.ndimage import find_objects, label  # noqa: PLC0415 - only copies without the patient need it

    chroma = measure_chroma(image)
    colour, flow = chroma > _WEAK, np.zeros(chroma.shape, bool)
    if not colour.any() or np.count_nonzero(colour) > _TINTED * np.count_nonzero(image.max(axis=2) > _DARK):
        return flow, flow
    labels, _ = label(colour, np.ones((3, 3)))
    for number, box in enumerate(find_objects(labels), start=1):
        part = labels[box] == number
        strong = part & (chroma[box] > _STRONG)
        if strong.sum() >= _SPECK and _is_varied(image[box][strong]):
            flow[box] |= part
    flow &= grow(open_mask(flow, _THICK), _NEAR)
    drawn = colour & ~flow
    return flow, drawn & ~open_mask(drawn, _BROAD)


def measure_overlay(image: np.ndarray) -> float:
    """Give the share (0 to 1) of a B-mode area that colour covers; one tinted as a whole in one hue has none."""
    strong = measure_chroma(image) > _STRONG
    is_tint = np.count_nonzero(strong) > _TINTED * np.count_nonzero(image.max(axis=2) > _DARK)
    if not strong.any() or (is_tint and not _is_varied(image[strong])):
        return 0.0
    return float(strong.mean())


def _is_varied(colours: np.ndarray) -> bool:
    """Whether hues differ; a letter's rim, mixed with the grey below it, keeps its hue."""
    chroma = (colours - colours.min(axis=1, keepdims=True)).astype(float)
    low, high = np.percentile(chroma / chroma.max(axis=1, keepdims=True), (10, 90), axis=0)
    return bool((high - low).max() > _HUES)

"""The parts of one case: decoding, the network's pass, the estimate."""

import io
from pathlib import Path

import numpy as np
from PIL import Image

from core.benchmark.timing import Part
from core.imaging import Frame, Roi, read_frame
from core.inference.predictor import Case, Predictor
from core.simulation import render_patient, simulate_cohort

SEED = 20260507


def list_case_parts(bundle: Path) -> dict[str, Part]:
    """List what one case takes.

    Parameters
    ----------
    bundle : Path
        Folder of the bundle.

    Returns
    -------
    dict of str to callable
        Parts by name.
    """
    predictors = {name: Predictor.load(bundle, engine="torch", precision=name) for name in ("fp32", "bf16")}
    chosen = Predictor.load(bundle)
    png, box = _simulate_case()
    frame = read_frame(png)
    roi = frame.to_frame(box)
    parts: dict[str, Part] = {"decode a PNG frame in the decoder process": lambda: read_frame(png)}
    for name, predictor in predictors.items():
        parts |= _time_prediction(name, predictor, frame, roi)
    reading = chosen.read_image(frame, roi)
    parts["change of a clinical value, no pass"] = lambda: chosen.predict(Case(frame, roi, {"age": 50.0}), reading)
    return parts


def _simulate_case() -> tuple[bytes, Roi]:
    cohort = simulate_cohort(24, SEED)
    simulated = render_patient(cohort, 0, SEED)
    buffer = io.BytesIO()
    Image.fromarray(simulated.pixels).save(buffer, format="PNG")
    return buffer.getvalue(), Roi(*map(float, simulated.box))


def _time_prediction(name: str, predictor: Predictor, frame: Frame, roi: Roi) -> dict[str, Part]:
    size = predictor.engine.rule.size
    blank = np.zeros((1, size, size), dtype=np.uint8)
    return {
        f"bare forward, torch {name}": lambda: predictor.engine.extract_maps(blank),
        f"prediction and heat map, torch {name}": lambda: predictor.predict(Case(frame, roi, {})),
    }

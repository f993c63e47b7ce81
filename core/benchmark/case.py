"""The parts of one case: decoding, prediction with heat map, a changed clinical value."""

import io
from pathlib import Path

from PIL import Image

from core.benchmark.timing import Part
from core.imaging import Roi, read_frame
from core.inference import Case, Predictor
from core.simulation import render_patient, simulate_cohort

SEED = 20260507


def list_case_parts(bundle: Path) -> dict[str, Part | None]:
    """List what one case takes."""
    predictor = Predictor.load(bundle)
    png, box = simulate_case()
    frame = read_frame(png)
    roi = frame.to_frame(box)
    reading = predictor.read_image(frame, roi)
    ours = f"prediction and heat map from a decoded frame, SonoKi, {predictor.engine.description}"
    return {
        ours: lambda: predictor.predict(Case.of(frame, roi)),
        "change of a clinical value": lambda: predictor.predict(Case.of(frame, roi, {"age": 50.0}), [reading]),
        "decoding of a PNG file in the decoder process": lambda: read_frame(png),
    }


def simulate_case() -> tuple[bytes, Roi]:
    """Draw one simulated patient: a PNG file and the lesion box in its pixels."""
    simulated = render_patient(simulate_cohort(24, SEED), 0, SEED)
    buffer = io.BytesIO()
    Image.fromarray(simulated.pixels).save(buffer, format="PNG")
    return buffer.getvalue(), Roi(*map(float, simulated.box))

"""How many images of each kind the shipped bundle passes, cautions and refuses.

`python -m tests.core.imaging.findings.rates BUSBRA_DIR [--write]` reports on BUS-BRA's fold 1, which the rules on
the looks of images were not fitted on, as it is and degraded; on simulated patients of another seed; and on images of
other things from other sources than those fitted on (`tests.core.imaging.findings.unseen`). `--write` keeps the counts
in the bundle.
"""

import argparse
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from core.errors import ImageError
from core.imaging import Frame, Roi, read_frame
from core.inference import Predictor
from core.simulation import render_patient, simulate_cohort
from core.training.appearance import degrade
from core.training.backbone.build import LOOKS_FOLD
from core.training.bundle.intake_rates import count_statuses, describe_rates, write_rates
from core.training.busbra import read_busbra
from tests.core.imaging.findings.unseen import make_unseen
from tests.core.imaging.samples import encode

BUNDLE = Path(__file__).resolve().parents[4] / "models" / "ki67-demo"
SIMULATED, SEED = 110, 77


def read_real(folder: Path) -> Iterator[tuple[Frame, Roi]]:
    """BUS-BRA's held-out fold with the lesion boxes."""
    data = read_busbra(folder)
    for i in np.flatnonzero(data.fold == LOOKS_FOLD):
        frame = read_frame(data.paths[i].read_bytes())
        yield frame, frame.to_frame(Roi(*map(float, data.boxes[i])))


def degrade_real(folder: Path) -> Iterator[tuple[Frame, Roi]]:
    """Every second of them at another size, gain, sharpness or compression."""
    rng = np.random.default_rng(SEED)
    for number, (frame, roi) in enumerate(read_real(folder)):
        if number % 2 == 0:
            other = read_frame(encode(degrade(frame.pixels, rng)))
            # the area found anew may differ by a few pixels; the box follows the change of size alone
            x, y = other.width / frame.width, other.height / frame.height
            yield other, Roi(roi.x0 * x, roi.y0 * y, roi.x1 * x, roi.y1 * y)


def render_simulated() -> Iterator[tuple[Frame, Roi]]:
    """Simulated patients of a seed that nothing was trained on."""
    cohort = simulate_cohort(660, SEED)
    for row in np.linspace(0, 659, SIMULATED).astype(int):
        rendered = render_patient(cohort, int(row), SEED)
        frame = read_frame(encode(np.asarray(rendered.pixels)))
        yield frame, frame.to_frame(Roi(*map(float, rendered.box)))


def read_files(files: list[bytes]) -> Iterator[tuple[Frame, None] | ImageError]:
    """Frames of files without a box, or why they are refused at once."""
    for data in files:
        try:
            yield read_frame(data), None
        except ImageError as refusal:
            yield refusal


def main() -> None:
    """Measure, print, and keep."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("busbra", type=Path)
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    predictor = Predictor.load(BUNDLE)
    rates = [
        count_statuses(predictor, "simulated patients, another seed", render_simulated()),
        count_statuses(predictor, "BUS-BRA, fold 1", read_real(arguments.busbra)),
        count_statuses(predictor, "BUS-BRA, fold 1, degraded", degrade_real(arguments.busbra)),
        *(count_statuses(predictor, kind, read_files(files)) for kind, files in make_unseen().items()),
    ]
    print(describe_rates(rates))  # noqa: T201 - its result
    if arguments.write:
        write_rates(BUNDLE, rates)


if __name__ == "__main__":
    main()

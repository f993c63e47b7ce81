"""How many images of each kind are passed, cautioned or refused by their appearance.

`python -m tests.core.imaging.rates BUSBRA_DIR [--write]` fits the references on BUS-BRA's folds 2 to 5 and on the first
half of 160 simulated patients; it reports on fold 1, on the second half, and on made images that are no ultrasound.
`--write` stores the references in core/imaging/reference.json.
"""

import argparse
import csv
import json
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

import numpy as np

from core.imaging import Frame, read_frame, read_frames
from core.imaging.appearance import STATISTICS, AppearanceReference, fit_appearance
from core.imaging.quality import judge_appearance
from core.imaging.reference import REFERENCE_FILE
from core.imaging.survey import get_survey
from core.simulation import render_patient, simulate_cohort
from tests.core.imaging.others import make_others
from tests.core.imaging.samples import encode


def read_busbra(folder: Path, folds: set[str], limit: int) -> list[Frame]:
    """Frames of some folds, at most so many."""
    with (folder / "5-fold-cv.csv").open() as table:
        names = [row["ID"] for row in csv.DictReader(table) if row["kFold"] in folds]
    chosen = np.random.default_rng(1).permutation(names)[:limit]
    return list(read_frames(folder / "images" / f"{name}.png" for name in chosen))


def render_simulated(count: int, seed: int) -> list[Frame]:
    """Frames of simulated patients, spread over the centres."""
    cohort = simulate_cohort(660, seed)
    rows = np.linspace(0, len(cohort.table) - 1, count).astype(int)
    return [read_frame(encode(np.asarray(render_patient(cohort, int(row), seed).pixels))) for row in rows]


def count_rates(frames: Iterable[Frame], references: tuple[AppearanceReference, ...]) -> dict[str, float]:
    """Shares of frames that are passed, cautioned and refused."""
    verdicts = [judge_appearance(frame, references).status for frame in frames]
    return {"n": len(verdicts)} | {name: verdicts.count(name) / len(verdicts) for name in ("ok", "caution", "refused")}


def main() -> None:
    """Measure, print, and store."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("busbra", type=Path)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--limit", type=int, default=800)
    arguments = parser.parse_args()
    simulated = render_simulated(160, seed=20260507)
    fitted = {
        "real": read_busbra(arguments.busbra, {"2", "3", "4", "5"}, arguments.limit),
        "simulated": simulated[::2],
    }
    references = {
        name: fit_appearance([get_survey(frame).appearance for frame in frames]) for name, frames in fitted.items()
    }
    known = tuple(references.values())
    rates = {
        "BUS-BRA fold 1": count_rates(read_busbra(arguments.busbra, {"1"}, arguments.limit), known),
        "simulated, second half": count_rates(simulated[1::2], known),
    }
    for name, images in make_others().items():
        rates[name] = count_rates((read_frame(encode(image)) for image in images), known)
    print(json.dumps(rates, indent=1))  # noqa: T201 - its result
    if arguments.write:
        stored = {"statistics": STATISTICS, "references": {name: asdict(entry) for name, entry in references.items()}}
        REFERENCE_FILE.write_text(json.dumps(stored) + "\n")


if __name__ == "__main__":
    main()

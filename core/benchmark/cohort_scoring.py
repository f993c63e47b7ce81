"""A cohort's throughput: PNG files to scores, beside the engine alone on as many images."""

import atexit
import shutil
from pathlib import Path
from tempfile import mkdtemp

import numpy as np

from core.benchmark.timing import Part
from core.cohort.manifest import read_rows
from core.cohort.scoring.local import LocalScorer
from core.inference.predictor import Predictor
from core.simulation import write_cohort

SEED = 20260507
N = 64


def list_bulk_parts(bundle: Path) -> dict[str, Part]:
    """List what a cohort takes, and what the engine alone takes for as many images in batches."""
    predictor = Predictor.load(bundle)
    size = predictor.engine.rule.size
    crops = np.zeros((N, size, size), dtype=np.uint8)
    folder = Path(mkdtemp(prefix="sonoki-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    rows, _ = read_rows(write_cohort(folder, N, SEED))
    scorer = LocalScorer(predictor)
    return {
        f"{N} images by the engine alone, {predictor.engine.description}": lambda: predictor.engine.extract_maps(crops),
        f"{N} PNG files to scores, decoding and checks included": lambda: list(scorer.score_rows(rows)),
    }

"""Measure how far two views of one lesion differ: `python -m tests.between_views BUSBRA_DIR [BUNDLE_DIR] [--keep]`.

After them come simulated patients who were not trained on, each rendered twice: the same tumour, cut and speckled anew.
`--keep` writes the differences of BUS-BRA's malignant lesions into the bundle, whose own patients have one image each.
"""

import ast
import io
import sys
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from core.imaging import Roi, read_frame
from core.inference.prediction import ImageReading
from core.inference.predictor import Predictor
from core.inference.refits import refit_logits, span_interval
from core.simulation import render_patient, simulate_cohort
from core.training.bundle.card_parts import describe_between_views
from core.training.busbra import read_table
from models.bundle import BUNDLE
from models.manifest import BetweenViews
from models.sealed import CARD
from tests.pages.serving import ROOT

QUANTILES = (0.25, 0.5, 0.75, 0.9, 0.95)
BATCH = 16
N_SIMULATED, SEED = 200, 20270101


def read_views(folder: Path, predictor: Predictor) -> pd.DataFrame:
    """Read both images of each patient who has two, by the box of the data set."""
    table = read_table(folder)
    table = table[table.groupby("Case")["ID"].transform("count") == 2]
    readings: list[ImageReading] = []
    for start in range(0, len(table), BATCH):
        cases = []
        for row in table.iloc[start : start + BATCH].itertuples():
            x, y, width, height = ast.literal_eval(str(row.BBOX))
            frame = read_frame((folder / "images" / f"{row.ID}.png").read_bytes())
            cases.append((frame, Roi(x, y, x + width, y + height)))
        readings += predictor.read_images(cases)
    return table.assign(reading=readings)


def render_views(predictor: Predictor) -> pd.DataFrame:
    """Render and read two views of each of `N_SIMULATED` patients of a cohort of another seed."""
    cohort = simulate_cohort(N_SIMULATED, SEED)
    cases, ids = [], []
    for index, patient in enumerate(cohort.table["patient_id"]):
        for view in (SEED, SEED + 1):
            rendered = render_patient(cohort, index, view)
            buffer = io.BytesIO()
            Image.fromarray(rendered.pixels).save(buffer, format="PNG", compress_level=1)
            frame = read_frame(buffer.getvalue())
            cases.append((frame, frame.to_frame(Roi(*map(float, rendered.box)))))
            ids.append(patient)
    return pd.DataFrame({"Case": ids, "Pathology": "simulated", "reading": predictor.read_images(cases)})


def measure_pair(pair: list[ImageReading], predictor: Predictor) -> dict[str, float]:
    """Compare the views of one patient of whom no clinical value is known."""
    fusion = predictor.bundle.fusion_heads["m1"]
    scores, refits = [one.scores["ki67"] for one in pair], [one.refit_scores for one in pair]
    first, both = (span_interval(refit_logits(fusion, scores[:n], refits[:n], {})) for n in (1, 2))
    alone = span_interval(fusion.refit_logits(float(np.mean(scores)), np.mean(refits, axis=0), {}, score_variance=0.0))
    head = fusion.given({})
    logits = [head.intercept + sum(head.contribute(score, {}).values()) for score in scores]
    return {
        "difference": abs(logits[0] - logits[1]),
        "other_inside": first[0] <= 1 / (1 + np.exp(-logits[1])) <= first[1],
        "width_of_one": first[1] - first[0],
        "width_of_two": both[1] - both[0],
        "width_of_two_without_the_term": alone[1] - alone[0],
    }


def keep(pairs: "pd.Series[list[ImageReading]]", folder: Path) -> None:
    """Write the differences of the image score into a bundle and its card."""
    differences = (first.scores["ki67"] - second.scores["ki67"] for first, second in pairs)
    between = BetweenViews.of(differences, f"{len(pairs)} patients with real images of a cancer (BUS-BRA)")
    record, _ = BUNDLE.read(folder)
    record["between_views"] = between.to_json()
    files = [name for name in record.pop("files") if name != CARD]
    before, mark, after = (folder / CARD).read_text(encoding="utf-8").partition("Optimism on the ")
    BUNDLE.write(folder, record, files, f"{before}{describe_between_views(record)}\n{mark}{after}")


def main(folder: Path, bundle: Path, *, is_kept: bool) -> None:
    """Print a row for all patients, and for those with benign and with malignant lesions."""
    predictor = Predictor.load(bundle)
    views = pd.concat([read_views(folder, predictor), render_views(predictor)])
    pairs = views.groupby("Case").agg(kind=("Pathology", "first"), pair=("reading", list))
    found = pd.DataFrame([measure_pair(pair, predictor) for pair in pairs["pair"]], index=pairs.index)
    real = found[pairs["kind"] != "simulated"]
    for kind, rows in {"all of BUS-BRA": real, **dict(list(found.groupby(pairs["kind"])))}.items():
        quantiles = rows["difference"].quantile(list(QUANTILES)).round(2).to_dict()
        means = rows.drop(columns="difference").mean().round(3).to_dict()
        sys.stdout.write(f"{kind} {len(rows)} {quantiles} {means}\n")
    if is_kept:
        keep(pairs.loc[pairs["kind"] == "malignant", "pair"], bundle)


if __name__ == "__main__":
    folders = [Path(given) for given in sys.argv[1:] if given != "--keep"]
    main(folders[0], (folders[1:] or [ROOT / "models/ki67-demo"])[0], is_kept="--keep" in sys.argv)

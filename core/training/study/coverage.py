"""How often the interval of a probability holds the true one: the whole fit repeated on simulated cohorts."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit

from core.inference.prediction import INTERVAL
from core.simulation.parameters import EXTERNAL
from core.training.bundle.heads import Heads, fit_heads
from core.training.bundle.image_score import map_features
from core.training.bundle.whole_fit import Model, Study
from core.training.study.known_truth import COHORT, LN_PER_LOGIT, Network, draw_views, simulate_patients

Floats = NDArray[np.float64]
SIZES = (150, 264, 660)
MISSING = (0, 1, 3, 5, 7)
TESTED = 60


def measure_coverage(
    sizes: Sequence[int] = SIZES,
    *,
    n_cohorts: int,
    n_refits: int,
    watch: Callable[[int, int], None] | None = None,
) -> pd.DataFrame:
    """Measure the coverage of the 95 % interval."""
    network, rows = Network(), []
    for i, size in enumerate(size for size in sizes for _ in range(n_cohorts)):
        rows += _measure_cohort(network, size, n_refits, i % n_cohorts)
        if watch is not None:
            watch(i + 1, len(sizes) * n_cohorts)
    table = pd.DataFrame(rows)
    table["near"] = table["covered"].where(table["prob"].between(0.3, 0.7))
    return (
        table.groupby(["n_train", "place", "missing"], sort=False)
        .agg(
            n=("covered", "size"),
            coverage=("covered", "mean"),
            width=("width", "mean"),
            near_threshold=("near", "mean"),
        )
        .reset_index()
    )


def _measure_cohort(network: Network, size: int, n_refits: int, seed: int) -> list[dict[str, object]]:
    rng = np.random.default_rng([seed, size])
    patients = simulate_patients(network, max(COHORT, round(size * COHORT / 264)), seed, rng)
    away = patients.centre == EXTERNAL
    own, outside = rng.permutation(np.flatnonzero(~away)), rng.permutation(np.flatnonzero(away))
    train, held = own[:size], {"training centres": own[size:], "external centre": outside}
    shown = patients.features[train]
    study = Study(
        map_features(shown, draw_views(shown, rng)),
        LN_PER_LOGIT * patients.latent[train],
        (patients.latent[train] > 0).astype(np.float64),
        patients.known[train],
        pd.factorize(patients.centre[train])[0],
    )
    models = {"m1": Model(True, tuple(range(len(patients.terms))))}
    heads = fit_heads(study, models, patients.terms, seed=seed, n_refits=n_refits)
    return [
        {"n_train": size, "place": place, "missing": gone}
        | _measure_patient(heads, patients.features[i], patients.records[i], gone, float(expit(patients.logit[i])), rng)
        for place, tested in held.items()
        for i in tested[:TESTED]
        for gone in MISSING
    ]


def _measure_patient(
    heads: Heads, features: Floats, record: dict[str, Any], gone: int, truth: float, rng: np.random.Generator
) -> dict[str, object]:
    head = heads.fusions["m1"]
    score = float(heads.image.score(features))
    unknown = set(rng.permutation([term.field for term in head.terms])[:gone])
    clinical = {term.field: record[term.field] for term in head.terms if term.field not in unknown}
    given = head.given(clinical)
    estimate = float(expit(given.intercept + sum(given.contribute(score, clinical).values())))
    refits = head.refit_logits(score, heads.refits[:, :-1] @ features + heads.refits[:, -1], clinical)
    low, high = expit(np.percentile(refits, INTERVAL))
    return {"covered": float(low <= truth <= high), "width": float(high - low), "prob": estimate}

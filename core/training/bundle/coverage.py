"""How often the interval of a probability holds the true one: the whole fit repeated on simulated cohorts.

Clinical values come from the simulated cohort, and features of the image from its latents. The outcome is drawn anew
from a logistic model whose coefficients are known, and so is every patient's probability, at the external centre too.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit

from core.clinical import M1_PREDICTORS
from core.inference.interval import INTERVAL
from core.simulation.cohort import simulate_cohort
from core.simulation.parameters import CENTRES, EXTERNAL, LATENTS, SimulationParameters
from core.training.bundle.heads import Heads, fit_heads
from core.training.bundle.image_score import map_features
from core.training.bundle.terms import make_terms
from core.training.bundle.whole_fit import Model, Study
from models.fusion import Term

Floats = NDArray[np.float64]
SIZES = (150, 264, 660)
MISSING = (0, 1, 3, 5, 7)
N_FEATURES, N_VIEWS = 300, 4
SIGNAL, VIEW_NOISE, CENTRE_SHIFT = 0.45, 0.5, 0.25
INTERCEPT, IMAGE_COEF, EXTERNAL_SHIFT = -0.1, 1.5, -0.16
COEFS = {
    "age": -0.2,
    "menopausal": -0.1,
    "palpable": 0.2,
    "size_mm": 0.45,
    "adler": 0.35,
    "birads": 0.1,
    "aln_suspicious": 0.5,
}
LN_PER_LOGIT = 0.3
TESTED = 60
COHORT = 660
SCALES = np.sqrt(1 / np.arange(1, N_FEATURES + 1) / np.sum(1 / np.arange(1, N_FEATURES + 1)))


class _Network:
    """A made-up backbone: what its features show of the latents, and the best linear score of them."""

    def __init__(self) -> None:
        rng = np.random.default_rng(1)
        self.maps = rng.normal(size=(len(LATENTS), N_FEATURES)) * SCALES * SIGNAL
        self.shifts = {name: rng.normal(size=N_FEATURES) * SCALES * CENTRE_SHIFT for name in CENTRES}
        latents = simulate_cohort(6000, 999).latents
        shown = self.read(latents, rng)
        z = latents["z"].to_numpy()
        self.best = np.linalg.lstsq(shown - shown.mean(0), z - z.mean(), rcond=None)[0]
        self.best /= (shown @ self.best).std()

    def read(self, latents: pd.DataFrame, rng: np.random.Generator) -> Floats:
        """Give the features of a cohort, without the centre's shift."""
        noise = rng.normal(size=(len(latents), N_FEATURES)) * SCALES
        return np.asarray(latents[list(LATENTS)].to_numpy() @ self.maps + noise)


def measure_coverage(
    sizes: Sequence[int] = SIZES,
    *,
    n_cohorts: int,
    n_refits: int,
    seed: int = 0,
    watch: Callable[[int, int], None] | None = None,
) -> pd.DataFrame:
    """Measure the coverage of the 95 % interval.

    Parameters
    ----------
    sizes : sequence of int
        Training patients.
    n_cohorts, n_refits : int
        Cohorts of each size, and refits of each.
    seed : int
        Seed of the first cohort; the others follow.
    watch : callable, optional
        Called with the number of cohorts done and of all.

    Returns
    -------
    DataFrame
        n_train, place ("training centres", "external centre"), missing (values not known of seven), n (intervals),
        coverage (share that hold the true probability of a patient with every value known), width, and near_threshold
        (coverage where the estimate is between 30 and 70 %).
    """
    network, rows = _Network(), []
    for i, size in enumerate(size for size in sizes for _ in range(n_cohorts)):
        rows += _measure_cohort(network, size, n_refits, seed + i % n_cohorts)
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


@dataclass(frozen=True)
class _Patients:
    """Patients with every value known, what training knows of them, and their outcome before it is cut."""

    centre: NDArray[np.str_]
    records: list[dict[str, Any]]
    terms: tuple[Term, ...]
    known: Floats
    features: Floats
    logit: Floats
    latent: Floats


def _simulate(network: _Network, n_patients: int, seed: int, rng: np.random.Generator) -> _Patients:
    defaults = SimulationParameters()
    complete = replace(defaults, missing=dict.fromkeys(defaults.missing, (0.0, 0.0)))
    cohort = simulate_cohort(n_patients, seed, parameters=complete)
    table, centre = cohort.table, cohort.table["centre"].to_numpy(str)
    terms, _ = make_terms(table, M1_PREDICTORS)
    fields = [term.field for term in terms]
    records: list[dict[str, Any]] = [{str(k): v for k, v in row.items()} for row in table.to_dict("records")]
    coded = np.array([[term.code(row[term.field]) for term in terms] for row in records])
    features = network.read(cohort.latents, rng)
    logit = INTERCEPT + IMAGE_COEF * features @ network.best + coded @ np.array([COEFS[name] for name in fields])
    logit += EXTERNAL_SHIFT * (centre == EXTERNAL)
    known = np.where(simulate_cohort(n_patients, seed).table[fields].isna(), np.nan, coded)
    shifted = features + np.array([network.shifts[name] for name in centre])
    return _Patients(centre, records, terms, known, shifted, logit, logit + rng.logistic(size=n_patients))


def _measure_cohort(network: _Network, size: int, n_refits: int, seed: int) -> list[dict[str, object]]:
    rng = np.random.default_rng([seed, size])
    patients = _simulate(network, max(COHORT, round(size * COHORT / 264)), seed, rng)
    away = patients.centre == EXTERNAL
    own, outside = rng.permutation(np.flatnonzero(~away)), rng.permutation(np.flatnonzero(away))
    train, held = own[:size], {"training centres": own[size:], "external centre": outside}
    shown = patients.features[train]
    views = shown[:, None] + rng.normal(size=(size, N_VIEWS, N_FEATURES)) * SCALES * VIEW_NOISE
    study = Study(
        map_features(shown, views),
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

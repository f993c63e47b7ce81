"""Simulated cohorts with features in place of images, and the true probability of every patient.

Clinical values come from the simulated cohort, and features of the image from its latents. The outcome is drawn anew
from a logistic model whose coefficients are known, and so is every patient's probability, at the external centre too.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.clinical import M1_PREDICTORS
from core.simulation.cohort import simulate_cohort
from core.simulation.parameters import CENTRES, EXTERNAL, LATENTS, SimulationParameters
from core.training.bundle.terms import make_terms
from models.fusion import Term

Floats = NDArray[np.float64]
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
COHORT = 660
SCALES = np.sqrt(1 / np.arange(1, N_FEATURES + 1) / np.sum(1 / np.arange(1, N_FEATURES + 1)))


class Network:
    """A made-up backbone: what its features show of the latents, and the best linear score of them.

    Attributes
    ----------
    maps : ndarray of float64, (latents, p)
        Features per standard deviation of a latent.
    shifts : dict of str to ndarray of float64, (p,)
        What each centre's device adds.
    best : ndarray of float64, (p,)
        Weights of the best score, of standard deviation 1.
    """

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


@dataclass(frozen=True)
class Patients:
    """Patients with every value known, what training knows of them, and their outcome before it is cut."""

    centre: NDArray[np.str_]  # (n,), centre
    records: list[dict[str, object]]  # every value of the table
    terms: tuple[Term, ...]  # coding of the predictors
    # coded, known: (n, K), coded values, and those of them that training knows
    coded: Floats
    known: Floats
    features: Floats  # (n, p), features of the image
    # logit, latent: (n,), true log-odds, and with logistic noise; the outcome is 1 where it is above 0
    logit: Floats
    latent: Floats


def simulate_patients(network: Network, n_patients: int, seed: int, rng: np.random.Generator) -> Patients:
    """Draw patients of a simulated cohort."""
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
    return Patients(centre, records, terms, coded, known, shifted, logit, logit + rng.logistic(size=n_patients))


def draw_views(shown: Floats, rng: np.random.Generator) -> Floats:
    """Draw features of random views, (n, N_VIEWS, p), about those of the images as they are."""
    return shown[:, None] + rng.normal(size=(len(shown), N_VIEWS, N_FEATURES)) * SCALES * VIEW_NOISE

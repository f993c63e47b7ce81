"""The simulated cohort as a table: patients, splits, missing values; the latents apart."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from core.clinical import FIELDS
from core.errors import UsageError
from core.simulation.descriptors import Columns, describe_lesion, describe_patient, grade_suspicion
from core.simulation.devices import DEVICES, plan_view
from core.simulation.outcomes import describe_axilla, describe_pathology, draw_node_metastasis, follow_patients
from core.simulation.parameters import CENTRES, EXTERNAL, RECEPTORS, SimulationParameters
from core.simulation.sampling import QuotaSampler, Strings, apportion
from core.simulation.tumours import Tumours, simulate_tumours

SEED = 20260507
PATIENTS = 660
MINIMUM_PATIENTS = 8
TABLE_COLUMNS = (*(field.name for field in FIELDS), "split", "receptor", "lnm")


@dataclass(frozen=True)
class Cohort:
    """A simulated cohort.

    Parameters
    ----------
    table : DataFrame
        One row per patient: the columns of the data dictionary, then `split`, `receptor` and `lnm`; missing is NaN.
    latents : DataFrame
        Same rows: what the renderer draws from. Never a model's input, never written beside the table.
    """

    table: pd.DataFrame
    latents: pd.DataFrame


def simulate_cohort(
    n_patients: int = PATIENTS, seed: int = SEED, *, parameters: SimulationParameters | None = None
) -> Cohort:
    """Simulate the patients of four centres.

    Parameters
    ----------
    n_patients : int
        Patients, shared out to the centres in the proportions of `parameters.patients`.
    seed : int
        Seed; the same seed gives the same cohort.
    parameters : SimulationParameters, optional
        Numbers of the generator.

    Returns
    -------
    Cohort
        Table and latents.

    Raises
    ------
    UsageError
        If there are too few patients or the seed is negative.
    """
    if n_patients < MINIMUM_PATIENTS:
        raise UsageError(f"{n_patients} patients are too few for four centres; ask for {MINIMUM_PATIENTS} or more.")
    if seed < 0:
        raise UsageError(f"The seed is {seed}; give 0 or more.")
    p = parameters or SimulationParameters()
    counts = apportion(n_patients, tuple(float(p.patients[name]) for name in CENTRES))
    centre = np.repeat(np.array(CENTRES), counts)
    sampler = QuotaSampler(np.random.default_rng(seed), centre)
    tumours = simulate_tumours(sampler, centre, p)
    columns = _describe(sampler, tumours, p)
    table = pd.DataFrame(columns)
    _hide_missing(sampler, table, p)
    table["split"] = _split_patients(sampler.rng, tumours, p)
    latents = pd.DataFrame(
        {"patient_id": table["patient_id"], "z": tumours.z, "size_z": tumours.size_z, **tumours.latents}
    )
    return Cohort(table[list(TABLE_COLUMNS)], latents)


def _describe(sampler: QuotaSampler, tumours: Tumours, p: SimulationParameters) -> Columns:
    patient = describe_patient(sampler, tumours)
    metastasis = draw_node_metastasis(sampler, tumours, p.nodes)
    axilla = describe_axilla(sampler, metastasis, p.nodes)
    lesion = describe_lesion(sampler, tumours, p.reader_sharpness)
    birads = grade_suspicion(sampler, lesion, np.asarray(axilla["aln_suspicious"]))
    return {
        "patient_id": [f"SIM-{name}{index:04d}" for index, name in enumerate(tumours.centre, start=1)],
        "centre": tumours.centre,
        **patient,
        **lesion,
        **axilla,
        "birads": birads,
        **describe_pathology(sampler, tumours, metastasis),
        **follow_patients(sampler, tumours, metastasis, p.follow_up),
        "image_device": [DEVICES[name].describe() for name in tumours.centre],
        "image_scale": [
            plan_view(DEVICES[name], *diameters).mm_per_px
            for name, *diameters in zip(
                tumours.centre, np.asarray(lesion["size_mm"]), np.asarray(lesion["size_ap_mm"]), strict=True
            )
        ],
        "receptor": np.array(RECEPTORS)[tumours.receptor],
        "lnm": metastasis.astype(int),
    }


def _hide_missing(sampler: QuotaSampler, table: pd.DataFrame, p: SimulationParameters) -> None:
    """Empty cells at each centre's rate; what was not looked at loses its details too."""
    external = (table["centre"] == EXTERNAL).to_numpy()
    for column, (own, outside) in p.missing.items():
        hidden = sampler.draw_uniform() < np.where(external, outside, own)
        table[column] = table[column].astype(object).mask(hidden)
    table["vascularity"] = table["vascularity"].mask(table["adler"].isna())
    table["elasticity"] = table["elasticity"].mask(sampler.draw_uniform() < np.where(external, 0.7, 0.5))
    unseen = table["aln_cortex_mm"].isna() & (table["aln_suspicious"] == "negative")
    table["aln_visible"] = table["aln_visible"].mask(unseen, "no")
    for column in ("aln_hilum", "aln_focal"):
        table[column] = table[column].mask(unseen)


def _split_patients(rng: np.random.Generator, tumours: Tumours, p: SimulationParameters) -> Strings:
    """Split centres A to C, evenly over centre and label; the external centre stays apart."""
    split = np.full(len(tumours.centre), "external", dtype="<U10")
    own = np.flatnonzero(tumours.centre != EXTERNAL)
    high = tumours.ki67_pct[own] >= p.cutoff_pct
    strata = pd.Series([f"{name}{label}" for name, label in zip(tumours.centre[own], high, strict=True)])
    shuffled = strata.iloc[rng.permutation(len(own))]
    place = (shuffled.groupby(shuffled).cumcount() + rng.random(len(own))) / shuffled.map(strata.value_counts())
    ordered = own[place.sort_values(kind="stable").index.to_numpy()]
    counts = apportion(len(own), tuple(float(count) for count in p.development.values()))
    split[ordered] = np.repeat(np.array(list(p.development)), counts)
    return split

"""The register's patients as a cohort: one row per patient, every bundle's estimate beside the others."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from core.clinical import M1_PREDICTORS, simplify_name
from core.cohort import PredictionTable, TableReading
from core.register.patients import choose_estimates, mark_one_kind
from models.cutoff import Cutoff

BEFORE, AFTER = "before the outcome", "after the outcome"
NODES = {"N0": 0.0, "N0(i+)": 0.0, "N1mi": 1.0, "N1": 1.0, "N2": 1.0, "N3": 1.0}
LATE = (
    "Estimated after their outcome had been entered, and left out: {count:,} patients. Only an estimate "
    "made before is prospective."
)
LATE_TOO = (
    "Estimated after their outcome had been entered: {count:,} patients. With them this is not a prospective study."
)
MADE_UP = "Simulated, and left out beside real ones: {count:,} patients. The two are never mixed."
OTHERS = "Without an estimate of the bundle {name}, and left out: {count:,} patients."


@dataclass(frozen=True, eq=False)
class RegisterCohort:
    """The register's patients as a cohort."""

    read: PredictionTable  # ``prob`` is the judged bundle's, ``prob_<bundle>`` that of each other one
    bundle: str  # the judged bundle's name
    threshold: float  # its threshold
    is_simulated: bool  # whether the patients are made up; real and simulated ones are never mixed


def make_cohort(
    register: pd.DataFrame, bundle_sha256: str, cutoff: Cutoff, *, prospective: bool, identity: str
) -> RegisterCohort | None:
    """Make a prediction table of the register.

    Parameters
    ----------
    register : DataFrame
        Of `core.register.patients.tabulate_register`.
    bundle_sha256 : str
        Bundle that is judged; where the register has none of it, the one with the most estimates.
    cutoff : Cutoff
        Ki-67 that counts as high.
    prospective : bool
        Whether only estimates made before the outcome was entered count; others are labelled in the column "timing".
    identity : str
        What tells this state of the register from any other.

    Returns
    -------
    RegisterCohort or None
        None where there is no patient.
    """
    is_meant = mark_one_kind(register["is_simulated"])
    made_up = register.loc[~is_meant, "patient_id"].nunique()
    chosen = choose_estimates(register[is_meant])
    late = chosen[~chosen["is_prospective"]]
    if prospective:
        chosen = chosen[chosen["is_prospective"]]
    names = name_bundles(chosen)
    if not names:
        return None
    main = bundle_sha256 if bundle_sha256 in names else next(iter(names))
    base = chosen[chosen["bundle_sha256"] == main].set_index("patient_id")
    table = _lay_out(base, cutoff)
    for other in [sha256 for sha256 in names if sha256 != main]:
        probs = chosen[chosen["bundle_sha256"] == other].set_index("patient_id")["prob"]
        table[f"prob_{names[other]}"] = probs.reindex(base.index).to_numpy()
    notes = [f"High Ki-67 is {cutoff.words} of the surgical specimen. The bundle {names[main]} is judged."]
    if len(late):
        notes.append((LATE if prospective else LATE_TOO).format(count=late["patient_id"].nunique()))
    if made_up:
        notes.append(MADE_UP.format(count=made_up))
    left_out = chosen["patient_id"].nunique() - len(base)
    if left_out:
        notes.append(OTHERS.format(count=left_out, name=names[main]))
    last = base.iloc[-1]
    return RegisterCohort(
        PredictionTable(table, TableReading(identity, len(table), (), (), (), tuple(notes)), cutoff),
        str(last["bundle"]),
        float(last["threshold"]),
        bool(base["is_simulated"].any()),
    )


def name_bundles(register: pd.DataFrame) -> Mapping[str, str]:
    """Name each bundle by its hash, the one with the most estimates first."""
    counts = register.groupby(["bundle_sha256", "bundle"]).size().sort_values(ascending=False)
    return {sha256: f"{simplify_name(name)}_{sha256[:6]}" for sha256, name in counts.index}


def _lay_out(base: pd.DataFrame, cutoff: Cutoff) -> pd.DataFrame:
    known = base["ki67_pct"].notna()
    nodes = base["pn"].map(NODES).where(base["pn"].notna(), (base["nodes_positive"] > 0).astype(float))
    columns = {
        "patient_id": base.index,
        "split": "external",
        "centre": base["centre"].replace("", None),
        "y": cutoff.is_high(base["ki67_pct"]).astype(float).where(known),
        "ki67_pct": base["ki67_pct"],
        "prob": base["prob"],
        "lnm": nodes.where(base["pn"].notna() | base["nodes_positive"].notna()),
        "rfs_months": base["rfs_months"],
        "rfs_event": base["rfs_event"],
        "image_device": base["image_device"].replace("", None),
        "timing": np.where(base["is_prospective"], BEFORE, AFTER),
        **{name: base[name] for name in M1_PREDICTORS if name != "aln_suspicious"},
        "aln_us": base["aln_suspicious"].map({"suspicious": 1.0, "negative": 0.0}).astype(float),
    }
    table = pd.DataFrame(columns).reset_index(drop=True)
    return table.drop(columns=[name for name in table if table[name].isna().all() and name not in {"y", "ki67_pct"}])

"""Two bundles side by side on the register's patients, before one takes the other's place."""

import json
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import expit
from sqlalchemy import select

from core.evaluation.calibration.measures import CalibrationResult, compute_calibration
from core.evaluation.discrimination.roc_comparison import RocComparison, compare_roc
from core.register.models import ENTRIES
from core.register.patients import choose_estimates, tabulate_register
from core.register.store import Store
from core.training.update.patients import estimate
from models.bundle import Bundle

UPDATE = "evidence/update.json"
FITTED, SINCE = "that the update was fitted on", "since the update"
CALLS = ("low", "high")


@dataclass(frozen=True, eq=False)
class SideBySide:
    """Two bundles on the same patients."""

    patients: str  # which, in words: "real patients since the update"
    is_fitted: bool  # whether one of the bundles was fitted on them, so that its figures are too good
    # n, events: patients, and those with a high Ki-67
    n: int
    events: int
    roc: RocComparison  # the other bundle (a) beside the current one (b); paired DeLong
    # current, other: calibration of each
    current: CalibrationResult
    other: CalibrationResult
    reclassified: pd.DataFrame  # ``outcome, current, other, n``: calls, each at the bundle's own threshold


def compare_bundles(store: Store, current: Bundle, other: Bundle) -> list[SideBySide]:
    """Compare the bundle that answers and another on patients with a prospective estimate and an outcome.

    Real and simulated patients apart, those of the update and later ones apart; empty where no patient has an estimate
    that both can be judged by.
    """
    pairs = pair_estimates(tabulate_register(store), current, other)
    until = max(_find_until(store, bundle) for bundle in (current, other))
    place = np.where(pairs["outcome_number"] <= until, FITTED, SINCE if until else "")
    found = []
    for (is_simulated, words), part in pairs.groupby(["is_simulated", place], sort=True):
        name = f"{'simulated' if is_simulated else 'real'} patients {words}".strip()
        found.append(_compare(part, current, other, name, is_fitted=words == FITTED))
    return found


def pair_estimates(register: pd.DataFrame, current: Bundle, other: Bundle) -> pd.DataFrame:
    """Give both bundles' probabilities of the same patients.

    Where both have one image head, the image score that either kept gives the other's estimate too; else only
    patients count of whom both made an estimate.

    Returns
    -------
    DataFrame
        ``patient_id, y, is_simulated, outcome_number, current, other``, one row per patient.
    """
    hashes = [current.sha256, other.sha256]
    is_known = register["bundle_sha256"].isin(hashes) & register["is_prospective"] & register["ki67_pct"].notna()
    rows = choose_estimates(register[is_known])
    if has_same_image_head(current, other):
        pairs = rows.drop_duplicates("patient_id", keep="last").reset_index(drop=True)
        pairs = pairs.assign(
            current=expit(estimate(current.fusion_heads["m1"], pairs)),
            other=expit(estimate(other.fusion_heads["m1"], pairs)),
        )
    else:
        own, theirs = (rows[rows["bundle_sha256"] == sha256] for sha256 in hashes)
        pairs = own.rename(columns={"prob": "current"}).merge(
            theirs[["patient_id", "prob"]].rename(columns={"prob": "other"}), on="patient_id"
        )
    pairs = pairs.assign(y=current.cutoff.is_high(pairs["ki67_pct"]).astype(float))
    return pairs[["patient_id", "y", "is_simulated", "outcome_number", "current", "other"]]


def has_same_image_head(one: Bundle, other: Bundle) -> bool:
    """Whether two bundles give an image the same Ki-67 score."""
    heads = one.image_heads["ki67"], other.image_heads["ki67"]
    is_same_network = one.manifest.backbone_sha256 == other.manifest.backbone_sha256
    return is_same_network and np.array_equal(heads[0].weights, heads[1].weights) and heads[0].bias == heads[1].bias


def _find_until(store: Store, bundle: Bundle) -> int:
    """Give the last entry of the register that a bundle was updated on; 0 where it was not, or on another register."""
    if UPDATE not in bundle.manifest.files:
        return 0
    last = json.loads((bundle.folder / UPDATE).read_text(encoding="utf-8"))["register"]
    number = int(last["number"])
    is_here = (ENTRIES.c.number == number) & (ENTRIES.c.hash == str(last["hash"]))
    return number if store.select(select(ENTRIES.c.number).where(is_here)) else 0


def _compare(part: pd.DataFrame, current: Bundle, other: Bundle, name: str, *, is_fitted: bool) -> SideBySide:
    y = part["y"]
    calls = {
        "current": part["current"] >= current.manifest.call_rule.threshold,
        "other": part["other"] >= other.manifest.call_rule.threshold,
    }
    counts = [
        {"outcome": CALLS[high], "current": CALLS[before], "other": CALLS[after]}
        | {"n": int(((y == high) & (calls["current"] == before) & (calls["other"] == after)).sum())}
        for high in (1, 0)
        for before in (False, True)
        for after in (False, True)
    ]
    return SideBySide(
        patients=name,
        is_fitted=is_fitted,
        n=len(part),
        events=int(y.sum()),
        roc=compare_roc(y, part["other"], part["current"]),
        current=compute_calibration(y, part["current"]),
        other=compute_calibration(y, part["other"]),
        reclassified=pd.DataFrame(counts),
    )

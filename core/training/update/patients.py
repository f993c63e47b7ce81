"""Who a bundle is updated on: patients of the register with its estimate, made before pathology's finding was known."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from core.clinical import is_missing
from core.errors import UsageError
from core.register.patients import choose_estimates, tabulate_register
from core.register.store import Store
from core.register.witness import Anchor
from models.bundle import Bundle
from models.fusion import FusionHead, condition

Floats = NDArray[np.float64]
Kind = Literal["real", "simulated"]
MIXED = (
    "The register holds {real} real and {simulated} simulated patients of this bundle with an outcome. They are never "
    "mixed: say --patients real or --patients simulated."
)


@dataclass(frozen=True, eq=False)
class Patients:
    """Patients with a bundle's prospective estimate and their outcome, in the chain's order."""

    # one row per patient, as `core.register.patients.tabulate_register` lays it out, and ``y`` (1 for a high Ki-67)
    table: pd.DataFrame
    # (n, 1 + K), image score and coded terms of the bundle's fusion "m1"; a value that is not known is expected from
    # the others
    inputs: Floats
    kind: Kind  # "real", "simulated", what they are; no set holds both
    anchor: Anchor  # last entry of the chain that was read

    @property
    def y(self) -> Floats:
        """Outcome, 0 or 1."""
        return self.table["y"].to_numpy(dtype=np.float64)

    @property
    def events(self) -> int:
        """Patients with a high Ki-67."""
        return int(self.table["y"].sum())


def read_patients(store: Store, bundle: Bundle, *, kind: Kind | None = None) -> Patients:
    """Read the patients that a bundle may be updated on: of each the last estimate before the outcome, by this bundle.

    A UsageError if there are real and simulated patients and none were chosen; a WorkError if the record does not hold.
    """
    anchor = store.read_anchor()
    table = tabulate_register(store)
    is_seen = (table["number"] <= anchor.number) & table["outcome_number"].between(1, anchor.number)
    is_own = (table["bundle_sha256"] == bundle.sha256) & table["is_prospective"] & table["ki67_pct"].notna()
    chosen = choose_estimates(table[is_seen & is_own])
    simulated = int(chosen["is_simulated"].sum())
    counts = {"real": len(chosen) - simulated, "simulated": simulated}
    if kind is None and all(counts.values()):
        raise UsageError(MIXED.format(**counts))
    taken: Kind = kind or ("simulated" if simulated else "real")
    chosen = chosen[chosen["is_simulated"] == (taken == "simulated")].reset_index(drop=True)
    chosen = chosen.assign(y=bundle.cutoff.is_high(chosen["ki67_pct"]).astype(int))
    return Patients(chosen, code_inputs(bundle.fusion_heads["m1"], chosen), taken, anchor)


def code_inputs(head: FusionHead, table: pd.DataFrame) -> Floats:
    """Give image score and coded terms of a register's rows, gaps filled with what the head expects; (n, 1 + K)."""
    rows = table.to_dict("records")
    coded = [[np.nan if is_missing(row[t.field]) else t.code(row[t.field]) for t in head.terms] for row in rows]
    inputs = np.column_stack(
        [table["image_score"].to_numpy(dtype=np.float64), np.array(coded).reshape(len(rows), len(head.terms))]
    )
    gaps = np.isnan(inputs)
    for gap in np.unique(gaps[gaps.any(axis=1)], axis=0):
        here = (gaps == gap).all(axis=1)
        slope, _ = condition(head.cov, gap)
        inputs[np.ix_(here, gap)] = head.mean[gap] + (inputs[np.ix_(here, ~gap)] - head.mean[~gap]) @ slope.T
    return inputs


def estimate(head: FusionHead, table: pd.DataFrame) -> Floats:
    """Give a head's log-odds for a register's rows, as the Predictor does from the same image score; (n,)."""
    log_odds = []
    for row in table.to_dict("records"):
        known = {t.field: row[t.field] for t in head.terms if not is_missing(row[t.field])}
        given = head.given(known)
        log_odds.append(given.intercept + sum(given.contribute(float(row["image_score"]), known).values()))
    return np.array(log_odds, dtype=np.float64)

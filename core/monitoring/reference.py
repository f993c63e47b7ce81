"""What a bundle was trained on, from its evidence: the distributions that later patients are compared with."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from core.clinical import M1_PREDICTORS, is_missing
from core.cohort import read_predictions
from core.register.estimate.table import find_score, read_clinical
from models.bundle import Bundle
from models.cutoff import Cutoff

EVIDENCE = "evidence/predictions.csv"
UPDATE = "evidence/update.json"
TRAINED_ON = "train"


@dataclass(frozen=True, eq=False)
class Reference:
    """What estimates of a bundle are judged by."""

    bundle_sha256: str  # the bundle's identity
    cutoff: Cutoff  # Ki-67 that counts as high
    indeterminate: tuple[float, float]  # its indeterminate range, ends included
    # patients of its evidence: ``split, y, ki67_pct, prob, image_score`` and the predictors; None where the bundle
    # holds none, or is an update that kept no clinical values
    evidence: pd.DataFrame | None

    @property
    def training(self) -> pd.DataFrame | None:
        """The training patients, each with the image score that was found without them."""
        if self.evidence is None:
            return None
        return self.evidence[self.evidence["split"] == TRAINED_ON].reset_index(drop=True)


def read_reference(bundle: Bundle) -> Reference:
    """Read what a bundle was trained on; its evidence was verified by hash with it.

    The image score is found from the probability and the clinical terms, as for a table that the register takes.
    """
    manifest = bundle.manifest
    evidence = _read_evidence(bundle) if EVIDENCE in manifest.files else None
    return Reference(bundle.sha256, bundle.cutoff, manifest.call_rule.indeterminate, evidence)


def _read_evidence(bundle: Bundle) -> pd.DataFrame | None:
    table = read_predictions(bundle.folder / EVIDENCE, cutoff=bundle.cutoff).table
    rows = [{str(k): v for k, v in row.items() if not is_missing(v)} for row in table.to_dict("records")]
    known = [read_clinical(row) for row in rows]
    head = bundle.fusion_heads["m1"]
    if UPDATE in bundle.manifest.files and not any(known):
        return None  # an early update: without the clinical values the image score can't be told
    return pd.DataFrame(
        {
            **{name: table[name] for name in ("split", "y", "prob")},
            "ki67_pct": table.get("ki67_pct", np.nan),
            "image_score": [find_score(head, float(row["prob"]), own) for row, own in zip(rows, known, strict=True)],
            **{name: [own.get(name) for own in known] for name in M1_PREDICTORS},
        }
    )

"""Estimates and outcomes for tests of the register."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from core.register.estimate.entry import Estimate
from core.register.outcome_entry import NOTHING, Author, check_outcome, make_entry
from core.register.store import Store

AB = Author("AB")
ESTIMATE = Estimate(
    patient="P-001",
    centre="North",
    device="Maker Model",
    exam_date="2026-03-01",
    bundle="ours",
    bundle_sha256="b" * 64,
    engine="OpenVINO on the CPU, fp32",
    input_sha256="1" * 64,
    views=({"box": [10.0, 20.0, 60.0, 70.0], "plane": None, "frames": 1},),
    clinical={"age": 54.0, "birads": "4C"},
    imputed=("size_mm",),
    probability=0.1 + 0.2,
    low=0.2,
    high=1 / 3,
    threshold=0.45,
    image_score=-0.4,
    gate="ok",
)


def add_estimates(store: Store, patients: Iterable[str], **changes: Any) -> None:
    """Keep an estimate of each patient."""
    store.append_all([replace(ESTIMATE, patient=patient, **changes).to_entry("AB") for patient in patients])


def enter(store: Store, patient: str, **raw: Any) -> None:
    """Enter the first outcome of a patient."""
    parts = check_outcome(raw)
    store.append_all([make_entry(patient, kind, values, NOTHING, AB) for kind, values in parts.items()])

import json

import numpy as np
import pytest

from core.imaging import Finding
from core.inference.applicability import ApplicabilityRules, Gate, Reference
from models.fusion import ImageHead

GATE = Gate(ImageHead(np.array([1.0, 0, 0, 0]), 0.0), caution=50.0, refuse=100.0)
TRAINING = Reference(np.zeros(4), np.ones(4), median=1.0, caution=2.0)
BACKBONE = Reference(np.full(4, 10.0), np.ones(4), median=1.0, caution=2.0)
RULES = ApplicabilityRules(GATE, {"training": TRAINING, "backbone": BACKBONE})


@pytest.mark.parametrize(
    ("level", "status"),
    [(1.0, "ok"), (3.0, "caution"), (9.0, "ok"), (30.0, "caution"), (60.0, "caution"), (101.0, "refused")],
    ids=["like the bundle's images", "between", "like the backbone's", "like none", "hardly ultrasound", "none"],
)
def test_gate_and_distance_decide(level: float, status: str) -> None:
    assert RULES.assess((), np.full(4, level), is_ultrasound=False).status == status


def test_what_says_that_it_is_ultrasound_is_cautioned_at_most() -> None:
    assert RULES.assess((), np.full(4, 101.0), is_ultrasound=True).status == "caution"


def test_a_bundles_own_images_cannot_open_the_gate() -> None:
    like_noise = ApplicabilityRules(GATE, {"training": Reference(np.full(4, 200.0), np.full(4, 500.0), 1.0, 2.0)})
    assert like_noise.assess((), np.full(4, 200.0), is_ultrasound=False).status == "refused"


def test_the_worst_finding_decides_and_every_reason_is_kept() -> None:
    findings = (Finding("ok", "fine", "a"), Finding("caution", "dark", "b"), Finding("refused", "blank", "c"))
    result = RULES.assess(findings, np.full(4, 3.0), is_ultrasound=False)
    assert result.status == "refused"
    assert result.reasons[:2] == ("dark", "blank")
    assert "3.0 times as far from their middle as the usual one" in result.reasons[2]


def test_the_gate_survives_json() -> None:
    back = Gate.from_json(json.loads(json.dumps(GATE.to_json())))
    assert (back.caution, back.refuse, back.head.weights.tolist()) == (50.0, 100.0, [1.0, 0, 0, 0])


@pytest.mark.parametrize("level", [0.0, 3.0, 60.0, 101.0])
def test_a_refusal_does_not_end_with_advice_on_the_estimate(level: float) -> None:
    refused = Finding("refused", "The image is blank.", "blank")
    result = RULES.assess((refused,), np.full(4, level), is_ultrasound=False)
    assert result.status == "refused"
    assert not any("ely less" in reason for reason in result.reasons)

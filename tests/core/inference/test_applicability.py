import numpy as np
import pytest

from core.imaging import Finding
from core.inference.applicability import Reference, assess_applicability

TRAINING = Reference(np.zeros(4), np.ones(4), median=1.0, caution=2.0, refuse=4.0)
BACKBONE = Reference(np.full(4, 10.0), np.ones(4), median=1.0, caution=2.0, refuse=4.0)


@pytest.mark.parametrize(
    ("level", "status"),
    [(1.0, "ok"), (3.0, "caution"), (9.0, "caution"), (30.0, "refused")],
    ids=["like the training images", "less so", "like the backbone's only", "like none"],
)
def test_distance_decides(level: float, status: str) -> None:
    references = {"training": TRAINING, "backbone": BACKBONE}
    assert assess_applicability((), references, np.full(4, level)).status == status


def test_the_worst_finding_decides_and_every_reason_is_kept() -> None:
    findings = (Finding("ok", "fine", "a"), Finding("caution", "dark", "b"), Finding("refused", "blank", "c"))
    result = assess_applicability(findings, {"training": TRAINING}, np.full(4, 3.0))
    assert result.status == "refused"
    assert result.reasons[:2] == ("dark", "blank")
    assert "distance 3.0 times the usual" in result.reasons[2]


def test_a_refusal_does_not_end_with_advice_on_the_estimate() -> None:
    refused = Finding("refused", "The image does not look like ultrasound.", "appearance")
    for distance in (0.0, 1.5, 2.0, 3.0, 30.0):
        result = assess_applicability((refused,), {"training": TRAINING}, np.full(4, distance))
        assert result.status == "refused"
        assert not any("rely less" in reason for reason in result.reasons)

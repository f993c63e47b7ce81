"""The coverage that the shipped card prints is the measured one."""

from pathlib import Path

from core.training.bundle.card_parts import describe_coverage
from models.bundle import read_bundle

BUNDLE = Path(__file__).parents[4] / "models" / "ki67-demo"


def test_the_shipped_card_prints_the_measured_coverage():
    n_refits = len(read_bundle(BUNDLE).fusion_heads["m1"].bootstrap)
    assert "\n".join(describe_coverage(n_refits)) in (BUNDLE / "CARD.md").read_text(encoding="utf-8")

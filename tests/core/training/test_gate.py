"""The gate learns to tell inputs apart, and is measured on what it was not fitted on."""

import numpy as np
import pytest

from core.training.backbone.gate import Limits, choose_limits, fit_gate, measure_gate, score_left_out
from core.training.backbone.gate_data import ANYWHERE, CHANGES, DEFAULT, DRAWN, GateData, change_frame
from core.training.intake_rates import describe_rates, gather_rates
from core.training.not_ultrasound import (
    CHANGES as OTHER_CHANGES,
)
from core.training.not_ultrasound import (
    change_other,
    draw_charts,
    draw_noise,
    draw_pages,
    draw_screens,
    show_slices,
)
from tests.core.imaging.samples import make_speckle

KINDS = (DRAWN, DEFAULT, ANYWHERE, CHANGES[0])


def make_data(per_kind: int = 40) -> tuple[np.ndarray, GateData]:
    """Features of two clinics around 0, and of two sources of other images around 3 on two axes."""
    rng = np.random.default_rng(0)
    source = np.repeat(["a", "b", "photo", "page"], per_kind * len(KINDS))
    kind = np.tile(np.repeat(KINDS, per_kind), 4)
    pooled = rng.normal(size=(len(source), 6)) * 0.5
    pooled[source == "photo", 0] += 3
    pooled[source == "page", :2] += 3
    image = np.array([f"{name}/{i // 3}" for i, name in enumerate(source)])
    return pooled, GateData(np.zeros((len(source), 2, 2), np.uint8), source, image, kind, np.isin(source, ["a", "b"]))


def test_the_gate_tells_what_it_was_fitted_on() -> None:
    pooled, data = make_data()
    gate = fit_gate(pooled, data.is_ultrasound, Limits())
    verdicts = np.array([gate.judge(row) for row in pooled])
    assert np.mean(verdicts[~data.is_ultrasound] == "refused") > 0.97
    assert np.mean(verdicts[data.is_ultrasound] == "refused") < 0.01


def test_rates_are_of_a_clinic_and_kinds_left_out() -> None:
    pooled, data = make_data()
    pooled[data.source == "a"] += 8  # unlike anything else: only a rule that saw it could pass it
    rates = {rate["kind"]: rate for rate in measure_gate({"a": score_left_out(pooled, data, "a")})["a"]}
    assert rates["a, box drawn"]["passed"] == 0
    assert all(rate["n"] == rate["passed"] + rate["cautioned"] + rate["refused"] for rate in rates.values())
    assert rates["page"]["refused"] > 0.9 * rates["page"]["n"]
    assert rates["page, no such kind known"]["n"] == rates["page"]["n"]


def test_about_the_stated_share_of_a_clinic_left_out_is_refused() -> None:
    pooled, data = make_data(per_kind=200)
    scores = {name: score_left_out(pooled, data, name) for name in "ab"}
    limits = choose_limits(list(scores.values()))
    assert limits.caution <= limits.refuse
    assert limits.distance >= 1
    for one in scores.values():
        assert np.mean(one.log_odds[one.ours] > limits.refuse) <= 0.01
        assert np.isnan(one.log_odds[data.is_ultrasound & ~one.ours]).all()
    assert choose_limits([]) == Limits()


def test_rates_of_one_kind_are_added_up_and_written_with_their_interval() -> None:
    rate = {"kind": "page", "n": 10, "passed": 0, "cautioned": 1, "refused": 9}
    assert gather_rates([rate, rate]) == [{"kind": "page", "n": 20, "passed": 0, "cautioned": 2, "refused": 18}]
    assert "| page | 10 | 0: 0.0 % (0.0-27.8) | 1: 10.0 % (1.8-40.4) | 9: 90.0 % (59.6-98.2) |" in describe_rates(
        [rate]
    )


@pytest.mark.parametrize("kind", CHANGES)
def test_a_changed_frame_is_another_image_of_the_same_tissue(kind: str) -> None:
    tissue = make_speckle(240, 300, seed=4)
    changed = change_frame(tissue, kind, np.random.default_rng(2))
    assert changed.dtype == np.uint8
    assert changed.ndim == 2
    assert not np.array_equal(changed, tissue)


@pytest.mark.parametrize("draw", [draw_pages, draw_charts, draw_screens, draw_noise])
def test_what_is_drawn_follows_the_seed(draw) -> None:
    first, again = (list(draw(3, np.random.default_rng(1))) for _ in "ab")
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert not np.array_equal(first[0], first[1])


def test_slices_are_shown_over_the_whole_range() -> None:
    images = [np.asarray(image) for _, image in show_slices()]
    assert len(images) == 14
    assert all(image.min() == 0 and image.max() == 255 for image in images)


@pytest.mark.parametrize("change", OTHER_CHANGES)
def test_a_changed_photograph_is_grey_and_of_its_size(change: str) -> None:
    photo = np.random.default_rng(0).integers(0, 256, (120, 160, 3), dtype=np.uint8)
    changed = change_other(photo, change, np.random.default_rng(2))
    assert changed.shape == (120, 160)
    assert changed.dtype == np.uint8
    assert changed.std() > 0

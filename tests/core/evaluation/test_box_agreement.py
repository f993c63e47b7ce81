"""Agreement of two readers on boxes: overlap by hand, its interval, and kappa on box or none."""

import numpy as np
import pytest

from core.evaluation.box_agreement import compute_box_agreement, compute_overlap
from core.figures.cohort.box_agreement import plot_overlap, tabulate_overlap

UNIT = (0.0, 0.0, 10.0, 10.0)


@pytest.mark.parametrize(
    ("other", "iou", "dice"),
    [
        (UNIT, 1, 1),
        ((5.0, 0.0, 15.0, 10.0), 1 / 3, 1 / 2),
        ((10.0, 0.0, 20.0, 10.0), 0, 0),
        ((2.0, 2.0, 7.0, 6.0), 0.2, 1 / 3),
    ],
)
def test_overlap_of_two_boxes(other, iou, dice):
    assert compute_overlap(UNIT, other) == pytest.approx((iou, dice))
    assert compute_overlap(other, UNIT) == pytest.approx((iou, dice))


def shift(by: float) -> tuple[float, float, float, float]:
    return (by, 0.0, by + 10.0, 10.0)


def test_what_both_drew_is_compared_and_the_worst_comes_first():
    first = [UNIT, UNIT, UNIT, None, None]
    found = compute_box_agreement(first, [UNIT, shift(5), None, None, UNIT], list("aabbc"), [3, 4, 5, 6, 7])
    assert (found.n, found.patients) == (2, 1)
    assert found.iou == pytest.approx(2 / 3)
    assert found.table["place"].tolist() == [4, 3]
    assert (found.found.n, found.found.agreed) == (5, 3)
    assert np.isnan(found.iou_ci).all()
    assert "fewer than 10 patients" in (found.reason or "")


def test_the_interval_is_by_patient_and_holds_the_mean():
    rng = np.random.default_rng(3)
    shifts = np.repeat(rng.uniform(0, 6, 40), 5)
    boxes, patients = [shift(float(by)) for by in shifts], [str(i // 5) for i in range(200)]
    found = compute_box_agreement([UNIT] * 200, boxes, patients, range(200))
    apart = compute_box_agreement([UNIT] * 200, boxes, [str(i) for i in range(200)], range(200))
    assert found.iou_ci[0] < found.iou < found.iou_ci[1]
    assert np.ptp(found.iou_ci) == pytest.approx(np.sqrt(5) * np.ptp(apart.iou_ci), rel=0.15)
    means = found.table.groupby("patient")["iou"].mean()
    assert np.ptp(found.iou_ci) == pytest.approx(2 * 1.96 * means.std(ddof=0) / np.sqrt(40), rel=0.1)


def test_the_figure_counts_every_image():
    found = compute_box_agreement([UNIT] * 3, [UNIT, shift(5), shift(20)], list("abc"), range(3))
    table = tabulate_overlap(found)
    assert table["images"].sum() == 3
    assert table.loc[table["iou_from"] == 0.95, "images"].item() == 1
    assert sum(plot_overlap(found).data[0].y) == 3


def test_nothing_in_common_is_no_figure():
    found = compute_box_agreement([None], [UNIT], ["a"], [0])
    assert found.n == 0
    assert np.isnan(found.iou)

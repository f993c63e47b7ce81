"""A drag on the picture becomes a box on the frame."""

import pytest

from core.imaging import Roi
from core.ui.case.box import scale_drag


def drag(x1: float, y1: float, x2: float, y2: float) -> dict[str, float]:
    return {"x1": x1, "y1": y1, "x2": x2, "y2": y2, "width": 400, "height": 300}


@pytest.mark.parametrize(
    ("corners", "box"),
    [
        ((100, 90, 200, 180), Roi(200, 180, 400, 360)),
        ((200, 180, 100, 90), Roi(200, 180, 400, 360)),
        ((300, 200, 999, -50), Roi(600, 0, 800, 400)),
    ],
    ids=["down right", "up left", "let go outside"],
)
def test_a_drag_is_scaled_and_cut_at_the_edges(corners, box):
    assert scale_drag(drag(*corners), width=800, height=600) == box


def test_a_click_is_no_box():
    assert scale_drag(drag(100, 90, 101, 91), width=800, height=600) is None

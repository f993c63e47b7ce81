"""Values that do not go together are questioned; those that do are not."""

import numpy as np
import pytest

from core.imaging import Frame, Roi
from core.inference.plausibility import question_values


def make_frame(mm_per_px: float | None) -> Frame:
    return Frame(
        np.zeros((200, 400), np.uint8), mm_per_px=mm_per_px, origin=(0.0, 0.0), source_scale=(1.0, 1.0), sha256=""
    )


@pytest.mark.parametrize(
    ("age", "menopausal", "asks"),
    [
        (80, "pre", True),
        (60, "pre", True),
        (57, "pre", False),
        (35, "pre", False),
        (70, "peri", True),
        (50, "peri", False),
        (25, "peri", True),
        (30, "post", True),
        (39.5, "post", True),
        (45, "post", False),
        (80, "post", False),
    ],
)
def test_age_and_menopause(age, menopausal, asks):
    found = question_values({"age": age, "menopausal": menopausal})
    assert [q.field for q in found] == (["menopausal"] if asks else [])
    assert all(f"{age:g} years" in q.sentence for q in found)


def test_what_is_not_known_is_not_questioned():
    assert question_values({}) == question_values({"age": 80}) == question_values({"menopausal": "pre"}) == ()


@pytest.mark.parametrize(
    ("size", "mm_per_px", "roi", "words"),
    [
        (41, 0.1, None, "larger than the image, which is 40 mm wide"),
        (39, 0.1, None, None),
        (41, None, None, None),
        (35, 0.1, Roi(0, 0, 100, 60), "whose longer side is 10 mm"),
        (4, 0.1, Roi(0, 0, 100, 60), "whose longer side is 10 mm"),
        (11, 0.1, Roi(0, 0, 100, 60), None),
        (35, None, Roi(0, 0, 100, 60), None),
    ],
)
def test_the_diameter_against_the_image(size, mm_per_px, roi, words):
    found = question_values({"size_mm": size}, make_frame(mm_per_px), roi)
    assert [q.field for q in found] == ([] if words is None else ["size_mm"])
    assert words is None or words in found[0].sentence

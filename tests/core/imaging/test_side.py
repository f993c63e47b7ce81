"""The breast that a case is about."""

import pytest

from core.errors import ImageError
from core.imaging.side import settle_side


@pytest.mark.parametrize(
    ("header", "form", "side"), [("L", None, "L"), ("L", "left", "L"), ("", "right", "R"), ("", None, "")]
)
def test_header_and_form_agree_on_a_side(header, form, side):
    assert settle_side(header, form) == side


@pytest.mark.parametrize(
    ("header", "form", "said"), [("LR", None, "both"), ("L", "right", "says left breast"), ("LR", "left", "both")]
)
def test_two_sides_are_asked_about(header, form, said):
    with pytest.raises(ImageError, match=said):
        settle_side(header, form)

"""Terms in words, and the fixed scale of the heat map."""

import pytest

from core.inference.explain import compute_heatmap_limit, format_percent, format_value, label_term


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("age", 54.0, "54 years"),
        ("size_mm", 12.5, "12.5 mm"),
        ("birads", "4B", "4B"),
        ("adler", None, "not known"),
        ("rfs_event", 0.0, "no"),
        ("rfs_event", 1, "yes"),
    ],
)
def test_values_carry_their_units(name, value, text):
    assert format_value(name, value) == text


def test_terms_have_the_labels_of_the_dictionary():
    assert label_term("image") == "Ultrasound image"
    assert label_term("aln_suspicious") == "Axillary nodes on ultrasound"


def test_the_scale_depends_on_the_bundle_alone(fusion):
    assert compute_heatmap_limit(fusion) == pytest.approx(8 * 0.9)


@pytest.mark.parametrize(
    ("probability", "text"), [(0.634, "63 %"), (0.0, "<1 %"), (0.006, "1 %"), (0.994, "99 %"), (0.9999, ">99 %")]
)
def test_no_estimate_is_written_as_certain(probability, text):
    assert format_percent(probability).replace("\N{NO-BREAK SPACE}", " ") == text

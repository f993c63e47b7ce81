from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from core.clinical import BY_NAME
from core.imaging import Frame, Roi
from core.inference import View
from core.inference.sentences import (
    describe_linked_terms,
    describe_seen,
    describe_uncertain_terms,
    describe_validation,
    describe_views,
    explain_call,
    explain_interval,
    name_call,
)
from models.bundle import read_bundle
from models.manifest import BetweenViews


def estimate(probability: float, group: str, *, is_no_call: bool, is_uncertain: bool = False) -> SimpleNamespace:
    reading = SimpleNamespace(area=(10.0, 5.0, 110.0, 105.0))
    return SimpleNamespace(
        probability=probability,
        group=group,
        is_no_call=is_no_call,
        is_uncertain=is_uncertain,
        certainty=0.87,
        threshold=0.5,
        no_call=(0.4, 0.6),
        views=(SimpleNamespace(reading=reading),),
    )


@pytest.mark.parametrize(
    ("case", "call", "why"),
    [
        (estimate(0.8, "high", is_no_call=False), "Classified as high", "At or above the threshold of 50"),
        (estimate(0.1, "low", is_no_call=False), "Classified as low", "Below the threshold of 50"),
        (estimate(0.45, "low", is_no_call=True), "Indeterminate", "indeterminate range (40"),
        (
            estimate(0.2, "low", is_no_call=False, is_uncertain=True),
            "Uncertain, classified as low",
            "refits are below it",
        ),
    ],
)
def test_the_call_and_its_reason_name_the_same_side(case: SimpleNamespace, call: str, why: str) -> None:
    assert name_call(case) == call
    assert why in explain_call(case)


def test_an_interval_on_both_sides_of_the_threshold_is_said_first() -> None:
    said = explain_call(estimate(0.2, "low", is_no_call=True, is_uncertain=True))
    assert said.startswith("The interval spans both sides of the threshold of 50")
    assert "87\N{NO-BREAK SPACE}% of the model's refits are below it" in said


@pytest.mark.parametrize(("mm_per_px", "side"), [(0.1, "10 mm"), (None, "100 pixels")])
def test_what_was_seen_has_a_unit_only_where_the_scale_is_known(mm_per_px: float | None, side: str) -> None:
    frame = Frame(np.zeros((120, 120), np.uint8), mm_per_px, (0.0, 0.0), (1.0, 1.0), "0" * 64)
    assert describe_seen(estimate(0.5, "high", is_no_call=True), (View(frame, Roi(10, 10, 50, 50)),)).startswith(
        f"a square of {side}"
    )


def test_the_views_are_said_with_their_own_estimates() -> None:
    views = tuple(SimpleNamespace(probability=p) for p in (0.46, 0.56))
    assert describe_views(SimpleNamespace(views=views[:1])) == ""
    said = describe_views(SimpleNamespace(views=views, view_range=0.4, between_views=None))
    assert said.startswith("The 2 views differ by 0.40 log-odds: alone, they give 46\N{NO-BREAK SPACE}% and 56")


def test_the_difference_of_two_views_is_set_beside_that_of_other_patients() -> None:
    others = BetweenViews.of(np.linspace(0, 1, 201), "201 patients")

    def say(*scores: float) -> str:
        views = [SimpleNamespace(probability=0.5, reading=SimpleNamespace(scores={"ki67": score})) for score in scores]
        return describe_views(SimpleNamespace(views=views, view_range=0.4, between_views=others))

    assert "0.40 log-odds, more than in 90\N{NO-BREAK SPACE}% of 201 patients: alone" in say(0.2, 1.1)
    assert "0.40 log-odds, more than in 90\N{NO-BREAK SPACE}% of 201 patients: alone" in say(1.1, 0.2)
    assert "lie within 0.40 log-odds, two of them on average further apart than in 60\N{NO-BREAK SPACE}% of 201" in say(
        0.2, 0.5, 1.1
    )


def test_an_interval_from_one_view_says_what_it_leaves_out() -> None:
    assert "another view" in explain_interval(1)
    assert "another view" not in explain_interval(2)


def test_cutoff_follows_the_rule(bundle_dir: Path) -> None:
    assert read_bundle(bundle_dir).cutoff.words == "20 % or more"


def test_a_model_without_an_external_centre_says_so() -> None:
    assert describe_validation(("D",)) == ""
    assert "never tested outside" in describe_validation(())


def test_axes_are_called_uncertain_where_the_coefficients_interval_holds_0():
    bundle = read_bundle(Path("models/ki67-demo"))
    head = bundle.fusion_heads["m1"]
    text = describe_uncertain_terms(head, simulated=True)
    low, high = np.percentile(head.bootstrap, (2.5, 97.5), axis=0)[:, 2:]
    for term, a, b in zip(head.terms, low, high, strict=True):
        assert (BY_NAME[term.field].label in text) == (a < 0 < b), term.field
    assert "simulated patients fit the opposite direction" in text
    certain = replace(head, bootstrap=np.tile([head.intercept, head.image_coef, *head.coefs], (3, 1)))
    assert describe_uncertain_terms(certain, simulated=True) == ""


def test_terms_that_go_together_and_pull_apart_are_named():
    head = read_bundle(Path("models/ki67-demo")).fusion_heads["m1"]
    text = describe_linked_terms(head)
    assert "Menopausal status and Age (correlation 0.76)" in text
    assert text.count("correlation") == 1
    assert describe_linked_terms(replace(head, coefs=np.abs(head.coefs))) == ""
    assert describe_linked_terms(replace(head, cov=np.eye(len(head.mean)))) == ""

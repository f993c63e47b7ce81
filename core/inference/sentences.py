"""An estimate in sentences: the same words on a page and on paper."""

from collections.abc import Mapping, Sequence
from itertools import combinations, islice

import numpy as np

from core.clinical import BY_NAME
from core.inference.explain import format_percent
from core.inference.prediction import INTERVAL, Prediction, View, ViewEstimate
from models.fusion import FusionHead

LINKED = 0.7
INTERVAL_MEANING = (
    "With unlimited training patients of the same kind, and every value known, the estimate would lie within it in "
    "about 95 of 100 cases."
)
REPEATED = "View {1} shows the same picture as view {0}, so that it counts twice: leave one of them out."
ONE_VIEW = "It does not include how much another view of the lesion would change the estimate."
NOT_SEEN = (
    "colour Doppler, elastography and moving images",
    "the axilla, other lesions and the other breast, unless entered in the form",
    "earlier examinations, mammography and MRI",
    "the core biopsy: type, grade, receptors",
)
NODES_LIMIT = "It does not replace the sentinel node biopsy."
MALIGNANCY_SOURCE = "image alone; the one part trained on real labels, benign or malignant, of the backbone's data"
MALIGNANCY_LIMIT = "The Ki-67 estimate assumes that the lesion is malignant."


def name_call(prediction: Prediction) -> str:
    """Give the call in a few words: "Indeterminate", "Classified as high", or "Uncertain, classified as low"."""
    if prediction.is_no_call:
        return "Indeterminate"
    return (
        f"Uncertain, classified as {prediction.group}"
        if prediction.is_uncertain
        else f"Classified as {prediction.group}"
    )


def explain_call(prediction: Prediction) -> str:
    """Say why an estimate is called so, with the threshold or the indeterminate range."""
    low, high = map(format_percent, prediction.no_call)
    threshold, share = format_percent(prediction.threshold), format_percent(prediction.certainty)
    side = "at or above" if prediction.group == "high" else "below"
    call = f"{side.capitalize()} the threshold of {threshold}, as are {share} of the model's refits."
    if prediction.is_uncertain:
        call = (
            f"The interval spans both sides of the threshold of {threshold}; "
            f"{share} of the model's refits are {side} it, as the estimate is."
        )
    if prediction.is_no_call:
        zone = f"It lies in the indeterminate range ({low} to {high})"
        return f"{call} {zone}, where high and low can't be told apart reliably."
    return call


def describe_seen(prediction: Prediction, views: Sequence[View]) -> str:
    """Say what part of the images the model saw."""
    seen = [_describe_square(estimate, view) for estimate, view in zip(prediction.views, views, strict=True)]
    if len(seen) == 1:
        return seen[0]
    named = (f"{name_view(i, view)}, {words}" for i, (view, words) in enumerate(zip(views, seen, strict=True), start=1))
    return f"{len(seen)} views: {'; '.join(named)}"


def explain_interval(n_views: int) -> str:
    """Say what the interval of an estimate from so many views means."""
    return f"{INTERVAL_MEANING} {ONE_VIEW}" if n_views == 1 else INTERVAL_MEANING


def name_repeats(views: Mapping[int, View]) -> list[str]:
    """Say which views, by their numbers, show a picture that an earlier one shows."""
    sentences = []
    for place, (number, view) in enumerate(views.items()):
        for first, earlier in islice(views.items(), place):
            if np.array_equal(earlier.frame.pixels, view.frame.pixels):
                sentences.append(REPEATED.format(first, number))
                break
    return sentences


def name_view(number: int, view: View) -> str:
    """Give a view's number and plane, for example "view 2, longitudinal"."""
    return f"view {number}, {view.plane}" if view.plane else f"view {number}"


def describe_views(prediction: Prediction) -> str:
    """Say how far the views differ; empty where there is one."""
    views = prediction.views
    if len(views) < 2:
        return ""
    alone = [format_percent(view.probability) for view in views]
    listed = f"{', '.join(alone[:-1])} and {alone[-1]}"
    range_words = "differ by" if len(views) == 2 else "lie within"
    return (
        f"The {len(views)} views {range_words} {prediction.view_range:.2f} log-odds{_rank_difference(prediction)}: "
        f"alone, they give {listed}. The interval includes this difference."
    )


def _rank_difference(prediction: Prediction) -> str:
    """Set how far the views differ beside other patients; empty where none are known."""
    if prediction.between_views is None:
        return ""
    pairs = combinations((view.reading.scores["ki67"] for view in prediction.views), 2)
    rank = np.mean([prediction.between_views.rank(first - second) for first, second in pairs])
    words = "more than" if len(prediction.views) == 2 else "two of them on average further apart than"
    return f", {words} in {format_percent(float(rank))} of {prediction.between_views.source}"


def _describe_square(estimate: ViewEstimate, view: View) -> str:
    (x0, _, x1, _), frame = estimate.reading.area, view.frame
    side = f"{x1 - x0:.0f} pixels" if frame.mm_per_px is None else f"{(x1 - x0) * frame.mm_per_px:.0f} mm"
    which = "one frame" if view.n_frames == 1 else f"the mean of {view.n_frames} frames"
    loop = "" if frame.frame_count < 2 else f" of {which} out of {frame.frame_count}"
    return f"a square of {side} around the box{loop}, in grey"


def describe_validation(external_centres: Sequence[str]) -> str:
    """Say that a model was never tested outside its centres; empty where it was."""
    return "" if external_centres else "This model was never tested outside the centres that it was trained on."


def describe_uncertain_terms(head: FusionHead, *, simulated: bool) -> str:
    """Name, for the text beside a nomogram, the terms whose direction the training data leave open; "" without any."""
    low, high = np.percentile(head.bootstrap[:, 2:], INTERVAL, axis=0)
    names = [BY_NAME[term.field].label for term, a, b in zip(head.terms, low, high, strict=True) if a < 0 < b]
    if not names:
        return ""
    axes = "this axis" if len(names) == 1 else "these axes"
    whose = name_training_data(simulated=simulated)
    return (
        f"The direction of {axes} is not certain, given the image and the other values: {', '.join(names)}. The 95 % "
        f"interval of the coefficient holds 0, so that {whose} fit the opposite direction, too."
    )


def describe_linked_terms(head: FusionHead) -> str:
    """Name pairs of terms that go together but pull in opposite directions; empty where there are none."""
    spread = np.sqrt(np.diag(head.cov))[1:]
    together = head.cov[1:, 1:] / np.outer(spread, spread)
    pairs = [
        f"{BY_NAME[one.field].label} and {BY_NAME[other.field].label} (correlation {together[i, j]:.2f})"
        for i, one in enumerate(head.terms)
        for j, other in enumerate(head.terms[:i])
        if abs(together[i, j]) >= LINKED and together[i, j] * head.coefs[i] * head.coefs[j] < 0
    ]
    if not pairs:
        return ""
    return (
        f"These go together in the training data and pull in opposite directions: {'; '.join(pairs)}. Neither axis "
        "shows the effect of its value alone; read the two together."
    )


def name_training_data(*, simulated: bool) -> str:
    """Name the patients that a bundle's Ki-67 and node heads were trained on."""
    return "simulated patients" if simulated else "the bundle's training patients"

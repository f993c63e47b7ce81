"""A prediction as JSON: what the command line prints and the page lets download."""

from typing import Any

from core.inference.prediction import Applicability, Case, Prediction, ViewEstimate
from models.bundle import Bundle

RESEARCH_USE = "Research use only; not a medical device."
SIMULATED_USE = "The model was trained on simulated patients: its Ki-67 figures say nothing about a real one."
FEW_USE = "The model was trained on too few patients, for trying out only: neither its estimates nor its figures hold."


def describe_use(bundle: Bundle) -> str:
    """Say what the bundle may be used for."""
    return " ".join([RESEARCH_USE, *[SIMULATED_USE] * bundle.is_simulated, *[FEW_USE] * bundle.is_few])


def render_prediction(prediction: Prediction, bundle: Bundle) -> dict[str, Any]:
    """Give a prediction as JSON types.

    Parameters
    ----------
    prediction : Prediction
        An estimate.
    bundle : Bundle
        The bundle that gave it.

    Returns
    -------
    dict
        probability, interval, logit, group, threshold, no_call, contributions, intercept, heatmap, heatmap_offset,
        heatmap_area, applicability, imputed, node_metastasis, malignancy, bundle, input_sha256, seconds, simulated,
        intended_use. Of several views, the heat maps stand in "views" instead, with what each view gives.
    """
    views = [_render_view(view) for view in prediction.views]
    shown = {"views": views} if len(views) > 1 else _render_map(prediction.views[0])
    return {
        "probability": prediction.probability,
        "interval": list(prediction.interval),
        "logit": prediction.logit,
        "group": prediction.group,
        "threshold": prediction.threshold,
        "no_call": list(prediction.no_call),
        "contributions": dict(prediction.contributions),
        "intercept": prediction.intercept,
        **shown,
        "applicability": _render_applicability(prediction.applicability),
        "imputed": list(prediction.imputed),
        "node_metastasis": prediction.node_metastasis,
        "malignancy": prediction.malignancy,
        "cutoff": bundle.cutoff.to_json(),
        "bundle": {"name": prediction.bundle, "sha256": prediction.bundle_sha256},
        "simulated": bundle.is_simulated,
        "intended_use": describe_use(bundle),
        "input_sha256": prediction.input_sha256,
        "seconds": prediction.seconds,
    }


def render_case(case: Case, prediction: Prediction, bundle: Bundle) -> dict[str, object]:
    """Give a prediction as JSON types, with the plane of each view where there are several."""
    record = render_prediction(prediction, bundle)
    for view, given in zip(record.get("views", ()), case.views, strict=False):
        view["plane"] = given.plane
    return record


def _render_view(view: ViewEstimate) -> dict[str, object]:
    return {
        "probability": view.probability,
        "logit": view.logit,
        "contribution": view.contribution,
        **_render_map(view),
        "applicability": _render_applicability(view.reading.applicability),
        "input_sha256": view.reading.input_sha256,
    }


def _render_map(view: ViewEstimate) -> dict[str, object]:
    return {
        "heatmap": view.heatmap.tolist(),
        "heatmap_offset": view.heatmap_offset,
        "heatmap_area": list(view.reading.area),
    }


def _render_applicability(applicability: Applicability) -> dict[str, object]:
    return {"status": applicability.status, "reasons": list(applicability.reasons)}

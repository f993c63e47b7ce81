"""A prediction as JSON: what the command line prints and the page lets download."""

from typing import Any

from core.inference.prediction import Prediction
from models.bundle import Bundle

RESEARCH_USE = "Research use only; not a medical device."
SIMULATED_USE = "The model was trained on simulated patients: its Ki-67 figures say nothing about a real one."


def describe_use(bundle: Bundle) -> str:
    """Say what the bundle may be used for."""
    return f"{RESEARCH_USE} {SIMULATED_USE}" if bundle.is_simulated else RESEARCH_USE


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
        applicability, imputed, node_metastasis, malignancy, bundle, input_sha256, seconds, simulated, intended_use.
    """
    return {
        "probability": prediction.probability,
        "interval": list(prediction.interval),
        "logit": prediction.logit,
        "group": prediction.group,
        "threshold": prediction.threshold,
        "no_call": list(prediction.no_call),
        "contributions": dict(prediction.contributions),
        "intercept": prediction.intercept,
        "heatmap": prediction.heatmap.tolist(),
        "heatmap_offset": prediction.heatmap_offset,
        "heatmap_area": list(prediction.reading.area),
        "applicability": {"status": prediction.applicability.status, "reasons": list(prediction.applicability.reasons)},
        "imputed": list(prediction.imputed),
        "node_metastasis": prediction.node_metastasis,
        "malignancy": prediction.malignancy,
        "cutoff": bundle.cutoff.to_json(),
        "bundle": {"name": prediction.bundle, "sha256": prediction.bundle_sha256},
        "simulated": bundle.is_simulated,
        "intended_use": describe_use(bundle),
        "input_sha256": prediction.reading.input_sha256,
        "seconds": prediction.seconds,
    }

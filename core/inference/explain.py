"""What a reader is told of a prediction: its terms in words, and the fixed scale of its heat map."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.clinical import BY_NAME
from core.inference.prediction import Prediction, ViewEstimate
from models.fusion import FusionHead

if TYPE_CHECKING:
    import pandas as pd

IMAGE_LABEL = "Ultrasound image"
NOT_KNOWN = "not known"
HEATMAP_SPREADS = 8.0


def label_term(name: str) -> str:
    """Name a term of the model for a reader."""
    return IMAGE_LABEL if name == "image" else BY_NAME[name].label


def format_value(name: str, value: object) -> str:
    """Write a clinical value with its unit."""
    if value is None:
        return NOT_KNOWN
    field = BY_NAME[name]
    if (field.kind, field.low, field.high) == ("integer", 0, 1):
        return "yes" if float(str(value)) else "no"
    text = f"{value:g}" if isinstance(value, int | float) else str(value)
    return f"{text} {field.unit}".strip()


def format_percent(probability: float) -> str:
    """Write a probability in whole per cent; an estimate is never written as 0 or 100 %."""
    sign, percent = "", 100 * probability
    if round(percent) < 1:
        sign, percent = "<", 1.0
    elif round(percent) > 99:
        sign, percent = ">", 99.0
    return f"{sign}{percent:.0f}\N{NO-BREAK SPACE}%"


def tabulate_contributions(prediction: Prediction, clinical: Mapping[str, object]) -> "pd.DataFrame":
    """List what adds up to the logit: term, label, value, known, log_odds.

    The intercept comes first, then the terms by size, then the logit, their sum.
    """
    import pandas as pd  # noqa: PLC0415 - heavy, and home needs none

    count = len(prediction.views)
    score = f"score {prediction.score:+.2f}".replace("-", "\N{MINUS SIGN}") + (
        f", mean of {count} views" if count > 1 else ""
    )
    terms = [
        (
            name,
            label_term(name),
            score if name == "image" else format_value(name, clinical.get(name)),
            name not in prediction.imputed,
            log_odds,
        )
        for name, log_odds in sorted(prediction.contributions.items(), key=lambda item: -abs(item[1]))
    ]
    rows = [
        ("intercept", "Start (intercept)", "", True, prediction.intercept),
        *terms,
        ("logit", "Sum (log-odds)", format_percent(prediction.probability), True, prediction.logit),
    ]
    return pd.DataFrame(rows, columns=["term", "label", "value", "known", "log_odds"])


def spread_offset(view: ViewEstimate) -> NDArray[np.float64]:
    """Spread the heat map's offset evenly over its places, so that zero is neutral and the mean is the image's term."""
    return view.heatmap + view.heatmap_offset


def compute_heatmap_limit(head: FusionHead) -> float:
    """Give the end of the heat map's scale, the same for every image of a bundle."""
    return HEATMAP_SPREADS * abs(head.image_coef)

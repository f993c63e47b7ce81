"""The Predictor: a case in, an explained estimate out.

`core.inference.Predictor` is imported when it is asked for, since it brings torch; the records are light.
"""

from typing import TYPE_CHECKING

from core.inference.prediction import Applicability, Case, ImageReading, Prediction

if TYPE_CHECKING:
    from core.inference.predictor import Predictor

__all__ = ["Applicability", "Case", "ImageReading", "Prediction", "Predictor"]


def __getattr__(name: str) -> object:
    if name == "Predictor":
        from core.inference.predictor import Predictor  # noqa: PLC0415

        return Predictor
    raise AttributeError(name)

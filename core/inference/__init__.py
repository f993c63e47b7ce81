"""The Predictor: a case in, an explained estimate out; it runs on the engine that suits the machine."""

from core.inference.prediction import Applicability, Case, ImageReading, Prediction, View, ViewEstimate
from core.inference.predictor import Predictor

__all__ = ["Applicability", "Case", "ImageReading", "Prediction", "Predictor", "View", "ViewEstimate"]

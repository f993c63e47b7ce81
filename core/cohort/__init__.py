"""Manifests and prediction tables: read, check, score."""

from core.cohort.predictions import PredictionTable, read_predictions
from core.cohort.tabular import read_header

__all__ = ["PredictionTable", "read_header", "read_predictions"]

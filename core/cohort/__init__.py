"""Manifests and prediction tables: read, check, score."""

from core.cohort.predictions import PredictionTable, read_predictions
from core.cohort.record import Choices, ColumnReading, TableReading

__all__ = ["Choices", "ColumnReading", "PredictionTable", "TableReading", "read_predictions"]

"""Outcomes and scores to frozen results; no plotting."""

from core.evaluation.calibration import CalibrationResult, compute_calibration
from core.evaluation.confusion import ConfusionResult, McNemarResult, compute_confusion, compute_mcnemar
from core.evaluation.hosmer_lemeshow import HosmerLemeshow
from core.evaluation.roc import RocResult, compute_roc
from core.evaluation.roc_comparison import RocComparison, compare_roc, compare_roc_unpaired
from core.evaluation.threshold import ThresholdResult, choose_threshold

__all__ = [
    "CalibrationResult",
    "ConfusionResult",
    "HosmerLemeshow",
    "McNemarResult",
    "RocComparison",
    "RocResult",
    "ThresholdResult",
    "choose_threshold",
    "compare_roc",
    "compare_roc_unpaired",
    "compute_calibration",
    "compute_confusion",
    "compute_mcnemar",
    "compute_roc",
]

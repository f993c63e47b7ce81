"""From a probability to a group: the threshold, and the range around it where nothing is classified."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, overload

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pandas as pd

Group = Literal["high", "low"]


@dataclass(frozen=True)
class CallRule:
    """How a bundle classifies a probability."""

    threshold: float  # probability from which Ki-67 is classified as high
    indeterminate: tuple[float, float]  # lowest and highest probability of the indeterminate range, ends included

    def classify(self, probability: float) -> Group:
        """Give the side of the threshold."""
        return "high" if probability >= self.threshold else "low"

    @overload
    def is_indeterminate(self, probability: float) -> bool: ...
    @overload
    def is_indeterminate(self, probability: "pd.Series[float]") -> "pd.Series[bool]": ...
    def is_indeterminate(self, probability: "float | pd.Series[float]") -> "bool | pd.Series[bool]":
        """Whether a probability, or each of a column, lies in the indeterminate range."""
        low, high = self.indeterminate
        return (probability >= low) & (probability <= high)

    def measure_certainty(self, probability: float, refits: NDArray[np.float64]) -> float:
        """Give the share of the refits' probabilities that lie on the estimate's side of the threshold."""
        return float(np.mean((refits >= self.threshold) == (probability >= self.threshold)))

"""How a lesion becomes the network's input."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class InputRule:
    """Size, crop and normalisation of the input.

    Parameters
    ----------
    size : int
        Side of the square input, pixels.
    context : float
        Side of the crop over the longer side of the lesion box.
    mean, std : float
        Normalisation of grey levels of 0 to 1.
    """

    size: int
    context: float
    mean: float
    std: float

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "InputRule":
        """Read the rule from a manifest."""
        return cls(int(data["size"]), float(data["context"]), float(data["mean"]), float(data["std"]))

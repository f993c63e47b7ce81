"""How a lesion becomes the network's input."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class InputRule:
    """Size, crop and normalisation of the input."""

    size: int  # side of the square input, pixels
    context: float  # side of the crop over the longer side of the lesion box
    # mean, std: normalisation of grey levels of 0 to 1
    mean: float
    std: float

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "InputRule":
        """Read the rule from a manifest."""
        return cls(int(data["size"]), float(data["context"]), float(data["mean"]), float(data["std"]))

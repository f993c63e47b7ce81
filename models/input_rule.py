"""How a lesion becomes the network's input."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from models.sealed import read_number

SMALLEST, LARGEST = 16, 2_048


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
        """Read the rule from a manifest; what no network is given is a ValueError."""
        size, context = read_number(data["size"], SMALLEST, LARGEST), read_number(data["context"], 0.1, 100)
        return cls(int(size), context, read_number(data["mean"], 0, 1), read_number(data["std"], 1e-3, 10))

"""How a bundle judges an image by its looks: whether it is ultrasound at all, and whether like its training images."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from core.errors import ModelError
from core.imaging.findings.appearance import STATISTICS, AppearanceReference, to_coordinates

_FARTHEST = 8.0


@dataclass(frozen=True)
class UltrasoundTest:
    """A logistic rule on the statistics, their squares and products: the log-odds that an image is no ultrasound.

    Attributes
    ----------
    centre, spread : tuple of float
        Mean and standard deviation of each coordinate among ultrasound images.
    weights : tuple of float
        One for each standardised coordinate, then one for each product of two, in the order of `expand`.
    bias : float
        Log-odds at the centre.
    limit : float
        Log-odds above which an image is called no ultrasound.
    """

    centre: tuple[float, ...]
    spread: tuple[float, ...]
    weights: tuple[float, ...]
    bias: float
    limit: float

    def score(self, statistics: Mapping[str, float]) -> float:
        """Give the log-odds that an image is no ultrasound.

        Parameters
        ----------
        statistics : mapping of str to float
            From `measure_appearance`.

        Returns
        -------
        float
            Above `limit` for what is no ultrasound.
        """
        row = (to_coordinates(statistics) - np.array(self.centre)) / np.array(self.spread)
        return float(expand(row[None])[0] @ np.array(self.weights) + self.bias)


def expand(standardised: np.ndarray) -> np.ndarray:
    """Append squares and products to standardised coordinates, which are held within 8.

    Parameters
    ----------
    standardised : ndarray of float, shape (n, k)
        Coordinates.

    Returns
    -------
    ndarray of float, shape (n, k + k (k + 1) / 2)
        Coordinates, then the products of each with itself and with those after it.
    """
    held = standardised.clip(-_FARTHEST, _FARTHEST)
    first, second = np.triu_indices(held.shape[1])
    return np.hstack([held, held[:, first] * held[:, second]])


@dataclass(frozen=True)
class AppearanceRules:
    """What a bundle stores of the looks of its images.

    Attributes
    ----------
    references : mapping of str to AppearanceReference
        Images that the backbone ("backbone") and, where they were enough, the bundle ("training") were trained on.
    ultrasound : UltrasoundTest
        Whether an image is ultrasound at all.
    """

    references: Mapping[str, AppearanceReference]
    ultrasound: UltrasoundTest

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "AppearanceRules":
        """Read what `to_json` gave.

        Parameters
        ----------
        stored : mapping
            "statistics", "references", "ultrasound".

        Returns
        -------
        AppearanceRules
            The rules.

        Raises
        ------
        ModelError
            If they were measured with other statistics than this program's.
        """
        if tuple(stored["statistics"]) != STATISTICS:
            raise ModelError("The bundle measured the looks of its images in another way: train it anew.")
        references = {
            name: AppearanceReference(
                tuple(entry["centre"]), tuple(map(tuple, entry["whitening"])), entry["caution"], entry["refusal"]
            )
            for name, entry in stored["references"].items()
        }
        test = stored["ultrasound"]
        lists = {name: tuple(test[name]) for name in ("centre", "spread", "weights")}
        return cls(references, UltrasoundTest(**lists, bias=test["bias"], limit=test["limit"]))

    def to_json(self) -> dict[str, Any]:
        """Give the rules as JSON types.

        Returns
        -------
        dict
            "statistics" (names in their order), "references", "ultrasound".
        """
        return {
            "statistics": list(STATISTICS),
            "references": {name: asdict(entry) for name, entry in self.references.items()},
            "ultrasound": asdict(self.ultrasound),
        }

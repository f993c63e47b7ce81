"""The heads: a linear image score, and the logistic regression that joins it with clinical terms."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Scale = Literal["linear", "log", "levels"]


@dataclass(frozen=True)
class ImageHead:
    """Linear score of the pooled features: s = weights . mean(A) + bias.

    Parameters
    ----------
    weights : ndarray of float64, (2048,)
        Weights w.
    bias : float
        Bias c.
    """

    weights: NDArray[np.float64]
    bias: float

    def score(self, pooled: NDArray[np.floating]) -> NDArray[np.float64]:
        """Score pooled features of shape (..., 2048)."""
        return np.asarray(pooled, dtype=np.float64) @ self.weights + self.bias

    def to_json(self) -> dict[str, Any]:
        """Give the head as JSON types."""
        return {"weights": self.weights.tolist(), "bias": self.bias}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "ImageHead":
        """Read what `to_json` gave."""
        return cls(np.array(data["weights"], dtype=np.float64), float(data["bias"]))


@dataclass(frozen=True)
class Term:
    """How one clinical field becomes a number z.

    Parameters
    ----------
    field : str
        Name in the data dictionary.
    scale : {"linear", "log", "levels"}
        z = (x - centre) / unit, (ln x - centre) / unit, or (levels[x] - centre) / unit.
    centre, unit : float
        Shift and scale.
    levels : mapping of str to float
        Value of each level, for "levels".
    low, high : float
        Range of x (of the level's value for "levels") in the training data, for the nomogram's axis.
    imputed : float
        z of a patient whose value is not known.
    """

    field: str
    scale: Scale
    centre: float
    unit: float
    levels: Mapping[str, float]
    low: float
    high: float
    imputed: float = 0.0

    def code(self, value: str | float | None) -> float:
        """Give z of a value; the imputed z when it is None."""
        if value is None:
            return self.imputed
        x = self.levels[str(value)] if self.scale == "levels" else float(value)
        return ((math.log(x) if self.scale == "log" else x) - self.centre) / self.unit

    def to_json(self) -> dict[str, Any]:
        """Give the term as JSON types."""
        return {**self.__dict__, "levels": dict(self.levels)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Term":
        """Read what `to_json` gave."""
        return cls(**data)


@dataclass(frozen=True)
class FusionHead:
    """logit = intercept + image_coef * s + sum_k coefs_k z_k.

    Parameters
    ----------
    intercept : float
        b0.
    image_coef : float
        b_img in log-odds per unit of the image score; 0 in a model without the image.
    terms : tuple of Term
        Coding of the clinical fields.
    coefs : ndarray of float64, (K,)
        b_k.
    bootstrap : ndarray of float64, (B, 2 + K)
        Intercept, image and clinical coefficients of B patient-level refits.
    """

    intercept: float
    image_coef: float
    terms: tuple[Term, ...]
    coefs: NDArray[np.float64]
    bootstrap: NDArray[np.float64]

    def __post_init__(self) -> None:
        if len(self.terms) != len(self.coefs) or self.bootstrap.shape[1:] != (2 + len(self.coefs),):
            raise ValueError("Terms, coefficients and bootstrap heads of the fusion do not fit each other.")

    def code(self, clinical: Mapping[str, str | float]) -> NDArray[np.float64]:
        """Code one patient's known values; shape (K,)."""
        return np.array([term.code(clinical.get(term.field)) for term in self.terms], dtype=np.float64)

    def contribute(self, score: float, clinical: Mapping[str, str | float]) -> dict[str, float]:
        """Give each term's log-odds; with the intercept they add up to the logit."""
        z = self.code(clinical)
        image = {"image": self.image_coef * score} if self.image_coef else {}
        return image | {term.field: float(b * x) for term, b, x in zip(self.terms, self.coefs, z, strict=True)}

    def bootstrap_logits(self, score: float, clinical: Mapping[str, str | float]) -> NDArray[np.float64]:
        """Logit of one patient under each bootstrap head; shape (B,)."""
        return self.bootstrap @ np.concatenate([[1.0, score], self.code(clinical)])

    def to_json(self) -> dict[str, Any]:
        """Give the head as JSON types."""
        return {
            "intercept": self.intercept,
            "image_coef": self.image_coef,
            "terms": [term.to_json() for term in self.terms],
            "coefs": self.coefs.tolist(),
            "bootstrap": self.bootstrap.tolist(),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "FusionHead":
        """Read what `to_json` gave."""
        terms = tuple(Term.from_json(term) for term in data["terms"])
        bootstrap = np.array(data["bootstrap"], dtype=np.float64).reshape(-1, 2 + len(terms))
        coefs = np.array(data["coefs"], dtype=np.float64)
        return cls(float(data["intercept"]), float(data["image_coef"]), terms, coefs, bootstrap)

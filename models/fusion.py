"""The heads: a linear image score, and the logistic regression that joins it with clinical terms."""

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from statistics import NormalDist
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from models.sealed import read_number, read_numbers

Scale = Literal["linear", "log", "levels"]


@dataclass(frozen=True)
class ImageHead:
    """Linear score of the pooled features: s = weights . mean(A) + bias."""

    weights: NDArray[np.float64]  # (n_features,), weights w
    bias: float  # bias c

    def score(self, pooled: NDArray[np.floating]) -> NDArray[np.float64]:
        """Score pooled features of shape (..., n_features)."""
        return np.asarray(pooled, dtype=np.float64) @ self.weights + self.bias

    def to_json(self) -> dict[str, object]:
        """Give the head as JSON types."""
        return {"weights": self.weights.tolist(), "bias": self.bias}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "ImageHead":
        """Read what `to_json` gave."""
        return cls(read_numbers(data["weights"]), read_number(data["bias"]))


@dataclass(frozen=True)
class Term:
    """How one clinical field becomes a number z."""

    field: str  # name in the data dictionary
    # "linear", "log", "levels", z = (x - centre) / unit, (ln x - centre) / unit, or (levels[x] - centre) / unit
    scale: Scale
    # centre, unit: shift and scale
    centre: float
    unit: float
    levels: Mapping[str, float]  # value of each level, for "levels"
    # low, high: range of x (of the level's value for "levels") in the training data, for the nomogram's axis
    low: float
    high: float
    imputed: float = 0.0  # z of a patient whose value is not known

    def code(self, value: str | float | None) -> float:
        """Give z of a value; the imputed z when it is None."""
        if value is None:
            return self.imputed
        x = self.levels[str(value)] if self.scale == "levels" else float(value)
        return ((math.log(x) if self.scale == "log" else x) - self.centre) / self.unit

    def to_json(self) -> dict[str, object]:
        """Give the term as JSON types."""
        return {**self.__dict__, "levels": dict(self.levels)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Term":
        """Read what `to_json` gave; numbers that are none, no unit and an unknown scale are a ValueError."""
        term = cls(**data)
        for number in (term.centre, term.unit, term.low, term.high, term.imputed, *term.levels.values()):
            read_number(number)
        if not isinstance(term.field, str) or term.scale not in get_args(Scale) or not term.unit:
            raise ValueError("a clinical term is of no known kind")
        return term


def condition(cov: NDArray[np.float64], gap: NDArray[np.bool_]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Give what the known inputs say of the others in a normal distribution."""
    between = cov[np.ix_(gap, ~gap)]
    slope = between @ np.linalg.pinv(cov[np.ix_(~gap, ~gap)], hermitian=True)
    return slope, cov[np.ix_(gap, gap)] - slope @ between.T


@dataclass(frozen=True)
class FusionHead:
    """logit = intercept + image_coef * s + sum_k coefs_k z_k."""

    intercept: float  # b0
    image_coef: float  # b_img in log-odds per unit of the image score; 0 in a model without the image
    terms: tuple[Term, ...]  # coding of the clinical fields
    coefs: NDArray[np.float64]  # (K,), b_k
    # (B, 2 + K), intercept, image and clinical coefficients of B refits of the whole fit, patients drawn with
    # replacement; each belongs to the image score of the same refit
    bootstrap: NDArray[np.float64]
    mean: NDArray[np.float64]  # (1 + K,), mean of the image score and of each z over the training patients
    cov: NDArray[np.float64]  # (1 + K, 1 + K), their covariance
    # standard deviation of a patient's image score over the refits, root mean square over the training patients
    score_spread: float

    def __post_init__(self) -> None:
        inputs = 1 + len(self.terms)
        fits = len(self.coefs) == len(self.terms) and self.bootstrap.shape[1:] == (1 + inputs,)
        if not fits or self.mean.shape != (inputs,) or self.cov.shape != (inputs, inputs):
            raise ValueError("Terms, coefficients and bootstrap heads of the fusion do not fit each other.")

    def code(self, clinical: Mapping[str, str | float]) -> NDArray[np.float64]:
        """Code one patient's known values; shape (K,)."""
        return np.array([term.code(clinical.get(term.field)) for term in self.terms], dtype=np.float64)

    def given(self, known: Collection[str]) -> "FusionHead":
        """Give the head for patients of whom only some fields are known, with the same terms.

        Those not known have the coefficient 0: what they would have added is expected from the others, z_u | s, z_k ~
        N(m, S), and the logit drawn towards 0 by 1 / sqrt(1 + pi / 8 b_u' S b_u), the mean of a logistic over a normal
        (MacKay, Neural Computation 1992;4:720). Every coefficient stays linear.
        """
        gap = self._find_gap(known)
        if not gap.any():
            return self
        weight = np.concatenate([[self.image_coef], self.coefs])
        slope, left = condition(self.cov, gap)
        unknown = weight[gap]
        shrink = 1 / math.sqrt(1 + math.pi / 8 * float(unknown @ left @ unknown))
        weight[~gap] += unknown @ slope
        weight[gap] = 0.0
        intercept = self.intercept + unknown @ (self.mean[gap] - slope @ self.mean[~gap])
        weight *= shrink
        return replace(self, intercept=float(shrink * intercept), image_coef=float(weight[0]), coefs=weight[1:])

    def contribute(self, score: float, clinical: Mapping[str, str | float]) -> dict[str, float]:
        """Give each term's log-odds; with the intercept they add up to the logit."""
        z = self.code(clinical)
        image = {"image": self.image_coef * score} if self.image_coef else {}
        return image | {term.field: float(b * x) for term, b, x in zip(self.terms, self.coefs, z, strict=True)}

    def refit_logits(
        self,
        score: float,
        refit_scores: NDArray[np.float64],
        clinical: Mapping[str, str | float],
        *,
        score_variance: float = 0.0,
    ) -> NDArray[np.float64]:
        """Give one patient's logit under each refit, were all fields known; float64 (B,)."""
        inputs = np.concatenate([[score], self.code(clinical)])
        gap = self._find_gap(clinical)
        variance = self.bootstrap[:, 1] ** 2 * score_variance
        if gap.any():
            slope, left = condition(self.cov, gap)
            inputs[gap] = self.mean[gap] + slope @ (inputs[~gap] - self.mean[~gap])
            unknown = self.bootstrap[:, 1:][:, gap]
            variance += np.maximum(np.einsum("bi,ij,bj->b", unknown, left, unknown), 0)
        known = self.bootstrap[:, 0] + self.bootstrap[:, 1] * refit_scores + self.bootstrap[:, 2:] @ inputs[1:]
        stretch = math.sqrt(1 + math.pi / 8 * (self.image_coef * self.score_spread) ** 2)
        return np.asarray(stretch * (known + np.sqrt(variance) * _normal_quantiles(len(variance))))

    def _find_gap(self, known: Collection[str]) -> NDArray[np.bool_]:
        return np.array([False, *(term.field not in known for term in self.terms)])

    def to_json(self) -> dict[str, object]:
        """Give the head as JSON types."""
        return {
            "intercept": self.intercept,
            "image_coef": self.image_coef,
            "terms": [term.to_json() for term in self.terms],
            "coefs": self.coefs.tolist(),
            "bootstrap": self.bootstrap.tolist(),
            "mean": self.mean.tolist(),
            "cov": self.cov.tolist(),
            "score_spread": self.score_spread,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "FusionHead":
        """Read what `to_json` gave."""
        terms = tuple(Term.from_json(term) for term in data["terms"])
        bootstrap = read_numbers(data["bootstrap"]).reshape(-1, 2 + len(terms))
        mean, cov = (read_numbers(data[name]) for name in ("mean", "cov"))
        coefs = read_numbers(data["coefs"]) if terms else np.zeros(0)
        intercept, image_coef, spread = (
            read_number(data[name]) for name in ("intercept", "image_coef", "score_spread")
        )
        return cls(intercept, image_coef, terms, coefs, bootstrap, mean, cov, spread)


def _normal_quantiles(n: int) -> NDArray[np.float64]:
    """Give n quantiles of the standard normal distribution, rising; the refits stand in no order."""
    normal = NormalDist()
    return np.array([normal.inv_cdf((i + 0.5) / n) for i in range(n)])

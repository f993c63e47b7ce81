"""Sums over a site's patients that a ridge regression needs, and the image score that the sums of all sites give."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from core.errors import WorkError
from core.training.bundle.image_score import MOST_AXES, PENALTIES

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class ImageSums:
    """Sums over the patients of one site; no patient can be read from them."""

    n: int  # patients
    # mean, own: (p,), sum of each patient's mean feature over image and random views, and of the image's own
    mean: Floats
    own: Floats
    # mean_products, own_products: (p, p), sum of the mean outer products over image and views (X'X), and of the image's
    # own
    mean_products: Floats
    own_products: Floats
    # mean_target, own_target: (p,), sum of these features times the target (X'y)
    mean_target: Floats
    own_target: Floats
    # target, target_squares: sum of the target, ln Ki-67, and of its squares
    target: float
    target_squares: float

    @classmethod
    def of(cls, pooled: Floats, views: Floats, target: Floats) -> Self:
        """Sum features (n, p), their views (n, v, p) and the target (n,)."""
        rows = np.concatenate([pooled[:, None], views], axis=1)
        mean, per_patient = rows.mean(axis=1), rows.shape[1]
        flat = rows.reshape(-1, rows.shape[2])
        return cls(
            len(pooled),
            mean.sum(axis=0),
            pooled.sum(axis=0),
            flat.T @ flat / per_patient,
            pooled.T @ pooled,
            target @ mean,
            target @ pooled,
            float(target.sum()),
            float(target @ target),
        )

    @classmethod
    def add(cls, parts: Sequence["ImageSums"]) -> Self:
        """Add the sums of several sites."""
        return cls(*(sum(getattr(part, name) for part in parts) for name in cls.__dataclass_fields__))


class PooledScore(NamedTuple):
    """The image score of all sites."""

    # weights, bias: (p,), for new patients: the mean of the heads that left out a site each; mean 0 and standard
    # deviation 1 out of site
    weights: Floats
    bias: float
    left_out: Floats  # (sites, p + 1), weights and bias of the head that did not see a site, on the same scale
    penalty: float  # ridge penalty with the least error at sites left out
    # centre, axes: (p,) and (p, k), mean feature, and features to the coordinates in which the posterior is
    centre: Floats
    axes: Floats
    covariance: Floats  # (k, k), covariance of the head's weights in these coordinates, noise (Z'Z + penalty)^-1
    # standard deviation of a patient's score over draws of the head, root mean square over the patients
    score_spread: float


def fit_pooled_score(sites: Sequence[ImageSums]) -> PooledScore:
    """Fit the image score that `core.training.bundle.image_score` fits to all patients, its folds being the sites.

    Equal to the pooled fit but for rounding: every sum that it needs is a sum over patients. Two or more sites; a
    WorkError if the images can't tell the patients apart.
    """
    total = ImageSums.add(sites)
    centre, axes = _find_axes(total)
    parts = [_map(site, centre, axes) for site in sites]
    heads = [_solve([other for other in parts if other is not part]) for part in parts]
    errors = np.sum([_measure_error(part, *head) for part, head in zip(parts, heads, strict=True)], axis=0)
    best = int(np.argmin(errors))
    chosen = [(weights[:, best], biases[best]) for weights, biases in heads]
    level = sum(part.own @ w + part.n * b for part, (w, b) in zip(parts, chosen, strict=True)) / total.n
    squares = sum(_square(part, w, b - level) for part, (w, b) in zip(parts, chosen, strict=True))
    spread = float(np.sqrt(max(squares, 0.0) / total.n))
    if spread < 1e-12:
        raise WorkError("The image score is the same for every patient: the images can't tell them apart.")
    left_out = np.stack([_to_features(axes, centre, w / spread, (b - level) / spread) for w, b in chosen])
    noise = float(errors[best]) / total.n / spread**2
    whole = _map(total, centre, axes)
    gram = whole.mean_products - np.outer(whole.mean, whole.mean) / total.n
    covariance = noise * np.linalg.inv(gram + PENALTIES[best] * np.eye(len(gram)))
    own = whole.own_products / total.n
    head = left_out.mean(axis=0)
    score_spread = float(np.sqrt(np.trace(covariance @ own)))
    return PooledScore(head[:-1], float(head[-1]), left_out, PENALTIES[best], centre, axes, covariance, score_spread)


def _find_axes(total: ImageSums) -> tuple[Floats, Floats]:
    """Give the mean feature and the principal axes of the standardised features, as `map_features` does."""
    centre = total.mean / total.n
    cov = total.mean_products / total.n - np.outer(centre, centre)
    spread = np.sqrt(np.maximum(np.diag(cov), 0.0))
    scale = np.divide(1.0, spread, out=np.zeros_like(spread), where=spread > 0)
    values, vectors = np.linalg.eigh(cov * np.outer(scale, scale))
    kept = np.flatnonzero(values > values[-1] * 1e-10)[::-1][:MOST_AXES]
    return centre, vectors[:, kept] * scale[:, None]


def _map(sums: ImageSums, centre: Floats, axes: Floats) -> ImageSums:
    n = sums.n

    def move(products: Floats, total: Floats) -> Floats:
        cross = np.outer(total, centre)
        return np.asarray(axes.T @ (products - cross - cross.T + n * np.outer(centre, centre)) @ axes)

    return ImageSums(
        n,
        (sums.mean - n * centre) @ axes,
        (sums.own - n * centre) @ axes,
        move(sums.mean_products, sums.mean),
        move(sums.own_products, sums.own),
        (sums.mean_target - sums.target * centre) @ axes,
        (sums.own_target - sums.target * centre) @ axes,
        sums.target,
        sums.target_squares,
    )


def _solve(parts: Sequence[ImageSums]) -> tuple[Floats, Floats]:
    """Fit ridge regressions at every penalty: weights (k, penalties) and biases (penalties,)."""
    total = ImageSums.add(parts)
    n, mean, target = total.n, total.mean, total.target
    gram, right = total.mean_products - np.outer(mean, mean) / n, total.mean_target - target * mean / n
    values, vectors = np.linalg.eigh(gram)
    shrunk = (vectors.T @ right)[:, None] / (np.maximum(values, 0)[:, None] + np.array(PENALTIES))
    weights = vectors @ shrunk
    return weights, target / n - mean @ weights / n


def _measure_error(part: ImageSums, weights: Floats, biases: Floats) -> Floats:
    """Give the sum of squared errors at a site of a head at every penalty."""
    fitted = np.einsum("ip,ij,jp->p", weights, part.own_products, weights)
    fitted += 2 * biases * (part.own @ weights) + part.n * biases**2
    return np.asarray(fitted - 2 * (part.own_target @ weights + biases * part.target) + part.target_squares)


def _square(part: ImageSums, weights: Floats, bias: float) -> float:
    return float(weights @ part.own_products @ weights + 2 * bias * (part.own @ weights) + part.n * bias**2)


def _to_features(axes: Floats, centre: Floats, weights: Floats, bias: float) -> Floats:
    own = axes @ weights
    return np.append(own, bias - centre @ own)

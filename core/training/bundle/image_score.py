"""A linear image score of pooled features: ridge regression, cross-fitted, cheap enough to be repeated."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.errors import WorkError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
PENALTIES = tuple(10.0 ** np.arange(0, 6.01, 0.5))
N_FOLDS = 10
MOST_AXES = 80


@dataclass(frozen=True)
class FeatureSpace:
    """Training patients' features in their principal axes, with the cross-products that every refit needs."""

    centre: Floats  # (p,), mean feature
    axes: Floats  # (p, k), features to coordinates: ``(x - centre) @ axes``
    own: Floats  # (n, k), coordinates of each patient's images as they are
    mean: Floats  # (n, k), mean coordinates over the patient's images and random views
    products: Floats  # (n, k * k), mean outer product of the coordinates over them


@dataclass(frozen=True)
class ImageFit:
    """A fitted image score."""

    weights: Floats  # (k,), weights on the coordinates of a `FeatureSpace`: the mean of the folds' heads
    bias: float  # bias
    out_of_fold: Floats  # (n,), score of each training patient by the head that never saw the patient
    penalty: float  # ridge penalty, per patient of weight 1
    noise: float  # variance of the target about its prediction out of fold, in units of the score's
    # raw_mean, raw_spread: mean and standard deviation of the out-of-fold predictions, in units of the target
    raw_mean: float
    raw_spread: float


def map_features(pooled: Floats, views: Floats) -> FeatureSpace:
    """Turn features into the principal axes of the standardised features; no outcome enters."""
    rows = np.concatenate([pooled[:, None], views], axis=1)
    n, per_patient, p = rows.shape
    flat = rows.reshape(-1, p)
    centre, spread = flat.mean(0), flat.std(0)
    scale = np.divide(1.0, spread, out=np.zeros_like(spread), where=spread > 0)
    coded = (flat - centre) * scale
    gram = coded.T @ coded if p < len(coded) else coded @ coded.T
    values, vectors = np.linalg.eigh(gram)
    kept = np.flatnonzero(values > values[-1] * 1e-10)[::-1][:MOST_AXES]
    basis = vectors[:, kept] if p < len(coded) else coded.T @ vectors[:, kept] / np.sqrt(values[kept])
    at = (coded @ basis).reshape(n, per_patient, -1)
    products = np.einsum("nvi,nvj->nij", at, at, optimize=True) / per_patient
    return FeatureSpace(centre, basis * scale[:, None], at[:, 0], at.mean(1), products.reshape(n, -1))


def fit_image_score(space: FeatureSpace, target: Floats, weight: Floats, fold: Ints) -> ImageFit:
    """Fit a ridge regression of the target, cross-fitted over folds of patients."""
    inside = weight * (fold != np.arange(fold.max() + 1)[:, None])
    weights, biases = solve_ridge(space, target, inside)
    scores = np.einsum("nk,nkp->np", space.own, weights[fold]) + biases[fold]
    best = int((weight @ (scores - target[:, None]) ** 2).argmin())
    raw = scores[:, best]
    mean = float(np.average(raw, weights=weight))
    spread = float(np.sqrt(np.average((raw - mean) ** 2, weights=weight)))
    noise = float(np.average((scores[:, best] - target) ** 2, weights=weight)) / max(spread, 1e-12) ** 2
    if spread < 1e-12:
        raise WorkError("The image score is the same for every training patient: the images can't tell them apart.")
    head, bias = weights[:, :, best].mean(0), float(biases[:, best].mean())
    return ImageFit(head / spread, (bias - mean) / spread, (raw - mean) / spread, PENALTIES[best], noise, mean, spread)


def draw_lost_weights(space: FeatureSpace, fit: ImageFit, weight: Floats, rng: np.random.Generator) -> Floats:
    """Draw what the penalty may have taken from the weights; float64 (k,)."""
    k = space.own.shape[1]
    mean = weight @ space.mean / weight.sum()
    gram = (weight @ space.products).reshape(k, k) - weight.sum() * np.outer(mean, mean)
    prior = rng.normal(size=k) * np.sqrt(fit.noise / fit.penalty)
    return np.asarray(fit.penalty * np.linalg.solve(gram + fit.penalty * np.eye(k), prior))


def draw_folds(target: Floats, weight: Floats, rng: np.random.Generator) -> Ints:
    """Give each patient a fold, so that every ten neighbours in the target stand in ten folds, ties at random."""
    n = len(target)
    size = min(N_FOLDS, int((weight > 0).sum()))
    order = np.lexsort([rng.random(n), target, weight == 0])
    places = np.concatenate([rng.permutation(size) for _ in range(-(-n // size))])[:n]
    fold = np.empty(n, dtype=np.int64)
    fold[order] = places
    return fold


def solve_ridge(space: FeatureSpace, target: Floats, weight: Floats) -> tuple[Floats, Floats]:
    """Fit ridge regressions at every penalty of `PENALTIES`."""
    k, total = space.own.shape[1], weight.sum(1)
    mean, level = weight @ space.mean / total[:, None], weight @ target / total
    gram = (weight @ space.products).reshape(-1, k, k) - (total[:, None] * mean)[:, :, None] * mean[:, None]
    right = (weight * (target - level[:, None])) @ space.mean
    values, vectors = np.linalg.eigh(gram)
    rotated = np.einsum("fji,fj->fi", vectors, right)
    shrunk = rotated[:, :, None] / (np.maximum(values, 0)[:, :, None] + np.array(PENALTIES))
    weights = vectors @ shrunk
    return weights, level[:, None] - np.einsum("fk,fkp->fp", mean, weights)

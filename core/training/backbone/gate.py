"""The applicability gate: what the trained network tells of breast ultrasound and of other images, and its rates."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from core.inference.applicability import Gate, Reference
from core.training.backbone.folder import make_reference
from core.training.backbone.gate_data import ANYWHERE, CHANGED, CHANGES, DEFAULT, DRAWN, GateData
from core.training.intake_rates import Rate
from models.fusion import ImageHead

RIDGE = 0.3  # variances of a feature
N_FOLDS = 5
REFUSED_SHARE, CAUTIONED_SHARE = 0.005, 0.03


@dataclass(frozen=True)
class Limits:
    """Where the gate draws its lines."""

    # caution, refuse: log-odds of being no ultrasound beyond which an image is cautioned, and refused
    caution: float = 0.0
    refuse: float = 0.5
    # distance from the training images beyond which an image is cautioned, in 99th percentiles of theirs
    distance: float = 1.0


@dataclass(frozen=True)
class Scores:
    """What rules say of inputs that they were not fitted on, by a network that saw no patient of one clinic."""

    data: GateData  # the inputs
    ours: NDArray[np.bool_]  # (n,), inputs of the clinic left out
    # (n,), of being no ultrasound: the clinic's by a rule without it, other images' by one without the image. NaN for
    # the other clinics
    log_odds: NDArray[np.float64]
    log_odds_unknown: NDArray[np.float64]  # (n,), other images' by a rule that saw none of their kind
    distance: NDArray[np.float64]  # (n,), from the training images of the other clinics, in 99th percentiles of theirs


def fit_gate(pooled: NDArray[np.float64], is_ultrasound: NDArray[np.bool_], limits: Limits) -> Gate:
    """Fit the log-odds that an input is no ultrasound: Fisher's linear discriminant with a ridge, both kinds equal.

    ``w = (S + ridge I)^-1 (m_other - m_ultrasound)``, S the mean of both kinds' covariances of standardised features,
    (n, n_features); two normal distributions with the covariance in brackets have the log-odds ``w (x - (m_other +
    m_ultrasound) / 2)``.
    """
    centre, spread = pooled.mean(axis=0), np.maximum(pooled.std(axis=0), 1e-3)
    standard = ((pooled - centre) / spread).astype(np.float32)
    kinds = [standard[mask] for mask in (is_ultrasound, ~is_ultrasound)]
    means = [kind.mean(axis=0, dtype=np.float64) for kind in kinds]
    within = np.mean([np.cov(kind, rowvar=False, dtype=np.float32) for kind in kinds], axis=0).astype(np.float64)
    within[np.diag_indices_from(within)] += RIDGE
    weights = np.linalg.solve(within, means[1] - means[0])
    bias = -float(weights @ (means[0] + means[1])) / 2
    return Gate(ImageHead(weights / spread, bias - float(weights / spread @ centre)), limits.caution, limits.refuse)


def score_left_out(pooled: NDArray[np.float64], data: GateData, clinic: str) -> Scores:
    """Score a clinic, and other images, by rules that saw neither; every input but the other clinics' gets its score.

    The features, (n, n_features), are by a network that saw no patient of the clinic.
    """
    ours, others = data.source == clinic, ~data.is_ultrasound
    fold = np.array([int(hashlib.sha256(str(name).encode()).hexdigest(), 16) % N_FOLDS for name in data.image])
    known, unknown = np.full(len(pooled), np.nan), np.full(len(pooled), np.nan)

    def score(into: NDArray[np.float64], rows: NDArray[np.bool_]) -> None:
        fitted = ~ours & ~rows
        gate = fit_gate(pooled[fitted], data.is_ultrasound[fitted], Limits())
        into[rows] = gate.head.score(pooled[rows])

    score(known, ours)
    for number in range(N_FOLDS):
        score(known, others & (fold == number))
    for kind in np.unique(data.source[others]):
        score(unknown, data.source == kind)
    reference = Reference.from_json(make_reference(pooled[~ours & ~others]))
    return Scores(data, ours, known, unknown, reference.distance(pooled) / reference.caution)


def choose_limits(scores: Sequence[Scores]) -> Limits:
    """Set the limits so that of the middle one of the clinics, left out, a stated share lies beyond."""
    if not scores:
        return Limits()
    refuse, caution = (
        max(0.0, float(np.median([np.quantile(one.log_odds[one.ours], 1 - share) for one in scores])))
        for share in (REFUSED_SHARE, CAUTIONED_SHARE)
    )
    distance = float(np.median([np.quantile(one.distance[one.ours], 1 - CAUTIONED_SHARE) for one in scores]))
    return Limits(caution, refuse, max(distance, 1.0))


def measure_gate(scores: Mapping[str, Scores]) -> dict[str, list[Rate]]:
    """Count what the gate says of each clinic left out, and of other images, by limits set on the other clinics."""
    return {name: _measure(name, one, [s for n, s in scores.items() if n != name]) for name, one in scores.items()}


def _measure(clinic: str, one: Scores, others: Sequence[Scores]) -> list[Rate]:
    limits, data = choose_limits(others), one.data
    kinds = {kind: data.kind == kind for kind in (DRAWN, DEFAULT, ANYWHERE)} | {CHANGED: np.isin(data.kind, CHANGES)}
    rows = [
        _count(f"{clinic}, {kind}", one.log_odds, one.distance, one.ours & mask, limits) for kind, mask in kinds.items()
    ]
    for source in np.unique(data.source[~data.is_ultrasound]):
        mask = data.source == source
        rows.append(_count(str(source), one.log_odds, one.distance, mask, limits))
        rows.append(_count(f"{source}, no such kind known", one.log_odds_unknown, one.distance, mask, limits))
    return rows


def _count(
    kind: str,
    log_odds: NDArray[np.float64],
    distance: NDArray[np.float64],
    rows: NDArray[np.bool_],
    limits: Limits,
) -> Rate:
    refused = log_odds[rows] > limits.refuse
    cautioned = ~refused & ((log_odds[rows] > limits.caution) | (distance[rows] > limits.distance))
    n, n_refused, n_cautioned = int(rows.sum()), int(refused.sum()), int(cautioned.sum())
    return {
        "kind": kind,
        "n": n,
        "passed": n - n_refused - n_cautioned,
        "cautioned": n_cautioned,
        "refused": n_refused,
    }

"""Quota sampling: random draws whose margins within each centre equal the population's."""

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

Floats = NDArray[np.float64]
Strings = NDArray[np.str_]


class QuotaSampler:
    """Draws for a whole cohort, each a permuted quantile grid within a centre.

    A stream of n uniform numbers has one number in each of the n equal intervals of every centre, in random order. So a
    finite cohort has the margins of its population, and no seed needs choosing.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of randomness.
    centre : ndarray of str, shape (n,)
        Centre of each patient.
    """

    def __init__(self, rng: np.random.Generator, centre: Strings) -> None:
        self.rng = rng
        self.size = len(centre)
        self._groups = [np.flatnonzero(centre == name) for name in dict.fromkeys(centre.tolist())]

    def draw_uniform(self) -> Floats:
        """Draw uniform numbers in (0, 1), shape (n,)."""
        out = np.empty(self.size)
        for group in self._groups:
            out[group] = (self.rng.permutation(len(group)) + self.rng.random(len(group))) / len(group)
        return np.clip(out, 1e-6, 1 - 1e-6)

    def draw_normal(self) -> Floats:
        """Draw standard normal numbers, shape (n,)."""
        return np.asarray(ndtri(self.draw_uniform()))

    def draw_events(self, probability: Floats) -> NDArray[np.bool_]:
        """Draw systematic events: along the order of probability their number follows the sum of probabilities."""
        out = np.zeros(self.size, dtype=bool)
        for group in self._groups:
            order = group[np.argsort(probability[group], kind="stable")]
            running = np.concatenate([[0.0], np.cumsum(probability[order])]) + self.rng.random()
            out[order] = np.diff(np.floor(running)) > 0
        return out

    def draw_quota(self, shares: dict[str, tuple[float, ...]], centre: Strings) -> NDArray[np.int64]:
        """Draw categories with counts fixed by each centre's shares (largest remainder); shape (n,)."""
        out = np.empty(self.size, dtype=np.int64)
        for group in self._groups:
            counts = apportion(len(group), shares[str(centre[group[0]])])
            out[group] = self.rng.permutation(np.repeat(np.arange(len(counts)), counts))
        return out

    def pick_levels(self, score: Floats, cuts: tuple[float, ...], levels: tuple[str, ...]) -> Strings:
        """Cut a score at its own quantiles and name the pieces."""
        return np.array(levels)[np.searchsorted(np.quantile(score, cuts), score)]


def apportion(total: int, shares: tuple[float, ...]) -> NDArray[np.int64]:
    """Divide a whole number by shares, largest remainder first."""
    exact = total * np.asarray(shares, dtype=float) / float(np.sum(shares))
    counts = np.floor(exact).astype(np.int64)
    leftover = np.argsort(-(exact - counts), kind="stable")[: total - int(counts.sum())]
    counts[leftover] += 1
    return counts

"""A register filled for tests: a centre whose device changes after 100 patients."""

import datetime

import numpy as np

from core.register.store import Store
from tests.core.register.register_entries import add_estimates, enter

FIRST = datetime.date(2025, 1, 6)


def fill_store(store: Store, n: int, bundle_sha256: str, *, changed_after: int = 10**9, outcomes: bool = True) -> None:
    """Keep n simulated estimates, two a day, with what pathology found; the image score rises after some."""
    rng = np.random.default_rng(20_260_507)
    for i in range(n):
        score = rng.normal()
        truth = 1 / (1 + np.exp(-1.5 * score))
        score += 1.5 * (i >= changed_after)
        add_estimates(
            store,
            [f"P-{i:04d}"],
            bundle_sha256=bundle_sha256,
            centre="North" if i % 2 else "South",
            exam_date=(FIRST + datetime.timedelta(days=i // 2)).isoformat(),
            image_score=float(score),
            probability=float(1 / (1 + np.exp(-1.5 * score))),
            clinical={"age": float(rng.integers(35, 80)), "birads": "4C", "palpable": "yes"},
            gate="ok" if rng.random() < 0.9 else "caution",
            is_simulated=True,
        )
        if outcomes:
            enter(store, f"P-{i:04d}", ki67_pct=40.0 if rng.random() < truth else 10.0)

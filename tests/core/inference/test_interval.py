"""The interval of a probability out of a table equals the Predictor's."""

import numpy as np
import pytest

from core.inference.interval import INTERVAL, recover_intervals
from tests.conftest import make_fusion


def test_the_interval_is_the_one_that_the_refits_give():
    head = make_fusion(np.random.default_rng(3))
    patients = [
        ({"age": 61.0, "size_mm": 22.0, "birads": "4C"}, 0.7),
        ({"menopausal": "pre", "palpable": "yes", "adler": "3", "aln_suspicious": "suspicious"}, -1.1),
        ({}, 0.0),
    ]
    logits = []
    for known, score in patients:
        given = head.given(known)
        logits.append(given.intercept + sum(given.contribute(score, known).values()))
    refits = [head.refit_logits(score, head.guess_refit_scores(score), known) for known, score in patients]
    wanted = [1 / (1 + np.exp(-np.percentile(values, INTERVAL))) for values in refits]
    found = recover_intervals(head, 1 / (1 + np.exp(-np.array(logits))), [known for known, _ in patients])
    assert found == pytest.approx(np.array(wanted), abs=1e-9)


def test_nobody_gives_an_empty_array():
    head = make_fusion(np.random.default_rng(3))
    assert recover_intervals(head, [], []).shape == (0, 2)

"""The splits of a table, in their order."""

import pandas as pd

from core.cohort.splits import iterate_splits


def test_splits_come_from_training_to_external_and_absent_ones_not_at_all():
    table = pd.DataFrame({"split": ["external", "test", "train", "external"], "y": [0, 1, 2, 3]})
    assert [(name, part["y"].tolist()) for name, part in iterate_splits(table)] == [
        ("train", [2]),
        ("test", [1]),
        ("external", [0, 3]),
    ]

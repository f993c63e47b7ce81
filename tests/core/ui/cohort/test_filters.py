"""The filters of a cohort: which are offered, whom they keep, how they are said."""

import numpy as np
import pandas as pd

from core.ui.cohort.filters import describe_filters, filter_table, list_filters, list_options

TABLE = pd.DataFrame(
    {
        "centre": ["A", "B", None, "A"],
        "age": [49.9, 50.0, 65.0, np.nan],
        "size_mm": [19.9, 20.0, 50.0, 80.0],
        "image_device": ["X"] * 4,
    }
)


def test_what_varies_is_offered():
    assert list_filters(TABLE) == ["centre", "age", "size_mm"]
    assert list_options(TABLE, "centre") == ["A", "B"]
    assert list_options(TABLE.assign(centre=[str(i) for i in range(4)]), "centre") == ["0", "1", "2", "3"]
    many = pd.DataFrame({"centre": [str(i) for i in range(13)], "age": np.nan})
    assert list_filters(many) == []


def test_filters_join_by_and_their_options_by_or():
    assert filter_table(TABLE, ()).index.tolist() == [0, 1, 2, 3]
    assert filter_table(TABLE, (("size_mm", ("< 20", "\u2265 50")),)).index.tolist() == [0, 2, 3]
    assert filter_table(TABLE, (("size_mm", ("\u2265 50",)), ("age", ("\u2265 65",)))).index.tolist() == [2]
    assert filter_table(TABLE, (("centre", ("A",)),)).index.tolist() == [0, 3]


def test_unknown_values_pass_no_filter():
    assert filter_table(TABLE, (("age", ("< 50", "50 to < 65", "\u2265 65")),)).index.tolist() == [0, 1, 2]


def test_filters_in_words():
    chosen = (("centre", ("A", "B")), ("size_mm", ("< 20", "\u2265 50")))
    assert describe_filters(chosen) == "centre A and B, size < 20 or \u2265 50 mm"
    assert describe_filters(()) == ""

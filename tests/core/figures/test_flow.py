"""The flow of patients: every count of the result stands in a box."""

import pandas as pd
import pytest

from core.evaluation import count_flow
from core.figures.cohort.flow import plot_flow
from core.figures.rendering import render_png, render_svg


@pytest.fixture
def flow():
    table = pd.DataFrame(
        {
            "split": ["train"] * 3 + ["external"] * 4,
            "centre": ["A", "B", "C", "D", "E", "F", "G"],
            "y": [1, 0, None, 1, 1, 0, 0],
            "lnm": [1, None, 0, 1, 0, 0, None],
            "rfs_months": [6, 12, None, 24, 30, 40, None],
            "rfs_event": [1, 0, None, 1, 0, 0, None],
        }
    )
    return count_flow(table, refused=10)


def test_every_count_stands_in_a_box(flow):
    words = [note.text for note in plot_flow(flow).layout.annotations]
    assert words[:3] == ["<b>Rows read</b><br>n = 17", "<b>Refused</b><br>n = 10", "<b>Patients evaluated</b><br>n = 7"]
    assert words[3] == "<b>Train</b><br>centre A, B, C<br>n = 3"
    assert words[4] == "Ki-67 known 2, high 1<br>Nodes known 2<br>Followed 2, 1 recurrence"
    assert words[5] == "<b>External</b><br>4 centres<br>n = 4"
    assert words[6] == "Ki-67 known 4, high 2<br>Nodes known 3<br>Followed 3, 1 recurrence"


def test_the_patients_of_the_splits_add_up(flow):
    assert flow.table["n"].sum() == flow.read - flow.refused


def test_it_is_drawn_without_a_browser(flow):
    figure = plot_flow(flow)
    assert render_svg(figure).startswith(b"<?xml")
    assert render_png(figure, scale=1.0).startswith(b"\x89PNG")

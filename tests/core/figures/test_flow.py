"""The flow of patients: every count of the result stands in a box."""

import re
from itertools import pairwise

import pandas as pd
import pytest

from core.cohort.record import count_reasons, drop_option
from core.evaluation import FlowResult, count_flow
from core.figures.cohort.flow import FlowExhibit
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


TELEPHONE = 354
CHARACTER = 5.6


def find_boxes(figure):
    """Text of each box, with its left, right, top and bottom edge."""
    drawn = [trace for trace in figure.data if len(trace.x) == 5 and trace.x[0] == trace.x[-1]]
    notes = figure.layout.annotations
    return [(note.text, (box.x[0], box.x[1], box.y[0], box.y[2])) for note, box in zip(notes, drawn, strict=True)]


def find_words(figure):
    return [text for text, _ in find_boxes(figure)]


def draw_four(centres=("A, B", "A, B", "A, B", "D"), n=249_000):
    splits = ["train", "validation", "test", "external"]
    rows = [[split, n, n, n, n, n, n, own] for split, own in zip(splits, centres, strict=True)]
    names = ["split", "n", "with_outcome", "events", "with_nodes", "with_follow_up", "recurrences", "centres"]
    return FlowExhibit("a cohort", FlowResult(pd.DataFrame(rows, columns=names), 4 * n, 0)).figure()


def test_every_count_stands_in_a_box(flow):
    words = find_words(FlowExhibit("a cohort", flow).figure())
    assert words[:3] == ["<b>Rows read</b><br>n = 17", "<b>Refused</b><br>n = 10", "<b>Patients evaluated</b><br>n = 7"]
    assert words[3] == "<b>Training</b><br>centre A, B, C<br>n = 3"
    assert words[4] == (
        "Ki-67 high<br><b>1</b><br>Ki-67 low<br><b>1</b><br>Ki-67 unknown<br><b>1</b><br>Nodes known<br><b>2</b><br>"
        "Followed<br><b>2</b><br>Recurrences<br><b>1</b>"
    )
    assert words[5] == "<b>External test</b><br>centre D, E, F, G<br>n = 4"
    assert (
        "Ki-67 high<br><b>2</b><br>Ki-67 low<br><b>2</b><br>Ki-67 unknown<br><b>0</b><br>Nodes known<br><b>3</b>"
        in words[6]
    )


@pytest.mark.parametrize("n", [1, 249_000])
def test_splits_stand_side_by_side_and_fit_a_telephone(n):
    boxes = find_boxes(draw_four(n=n))
    split = [edges for text, edges in boxes if "n = " in text][3:]
    assert len({top for *_, top, _ in split}) == 1
    assert all(left[1] < right[0] for left, right in pairwise(split))
    for text, (left, right, *_) in boxes:
        longest = max(len(line) for line in text.replace("<b>", "").replace("</b>", "").split("<br>"))
        assert CHARACTER * longest < TELEPHONE * (right - left), text


def test_no_box_lies_on_another(flow):
    for figure in (FlowExhibit("a cohort", flow).figure(), draw_four()):
        edges = [edges for _, edges in find_boxes(figure)]
        for place, (left, right, top, bottom) in enumerate(edges):
            for other in edges[place + 1 :]:
                assert right < other[0] or other[1] < left or bottom < other[2] or other[3] < top


def test_long_or_many_centres_are_counted():
    centres = ("North, South", "Universitaetsklinikum Heidelberg", "1, 2, 3, 4, 5, 6", "")
    words = " ".join(find_words(draw_four(centres)))
    assert "2 centres" in words
    assert "1 centre<br>" in words
    assert "6 centres" in words
    assert "<b>External test</b><br>n =" in words


def test_one_split_alone_and_none_are_drawn(flow):
    alone = FlowResult(flow.table.iloc[:1], 3, 0)
    assert len(find_boxes(FlowExhibit("one", alone).figure())) == 5
    assert len(find_boxes(FlowExhibit("none", FlowResult(flow.table.iloc[:0], 0, 0)).figure())) == 3


def test_the_patients_of_the_splits_add_up(flow):
    assert flow.table["n"].sum() == flow.read - flow.refused


REASONS = (
    ("no image", 4),
    ("the split is …, which is none of train, validation, test, external", 3),
    ("age is … years", 2),
    ("twice", 1),
)


def read_number(text):
    return int(text.split("n = ")[1].split("<br>")[0].replace(",", ""))


def test_every_node_is_the_sum_of_what_leaves_it(flow):
    reasons = (*REASONS, *((f"odd reason {i}", 1) for i in range(5)))
    refused = sum(count for _, count in reasons)
    told = FlowResult(flow.table, 7 + refused + 5, refused, reasons, 5)
    boxes = find_words(FlowExhibit("a cohort", told).figure())
    read, left, used, further, kept, *splits = boxes
    assert read_number(read) == read_number(left) + read_number(used)
    assert read_number(used) == read_number(further) + read_number(kept)
    assert read_number(kept) == sum(read_number(box) for box in splits[::2])
    lines = " ".join(left.split("<br>")[2:])
    assert sum(int(count) for count in re.findall(r"(\d+): ", lines)) == refused
    assert "3 other reasons" in lines
    for head, counts in zip(splits[::2], splits[1::2], strict=True):
        high, low, unknown = (int(count) for count in re.findall(r"<b>(\d+)</b>", counts)[:3])
        assert read_number(head) == high + low + unknown


def test_reasons_are_counted_without_values_rows_or_options():
    kept = "The same image is in row {} under another patient_id."
    refused = [
        (6, f"{kept.format(11)} If it is this patient's, --keep 6 takes it."),
        (11, kept.format(6)),
        (7, "'x' odd"),
    ]
    shown = count_reasons([(row, drop_option(reason)) for row, reason in refused])
    assert shown == ((kept.format("…"), 2), ("'…' odd", 1))


def test_boxes_with_reasons_fit_and_do_not_lie_on_each_other(flow):
    told = FlowResult(flow.table, 17, 10, REASONS, 0)
    boxes = find_boxes(FlowExhibit("a cohort", told).figure())
    for place, (text, (left, right, top, bottom)) in enumerate(boxes):
        longest = max(len(line) for line in text.replace("<b>", "").replace("</b>", "").split("<br>"))
        assert CHARACTER * longest < TELEPHONE * (right - left), text
        for _, other in boxes[place + 1 :]:
            assert right < other[0] or other[1] < left or bottom < other[2] or other[3] < top


def test_it_is_drawn_without_a_browser(flow):
    figure = FlowExhibit("a cohort", flow).figure()
    assert render_svg(figure).startswith(b"<svg ")
    assert render_png(figure, scale=1.0).startswith(b"\x89PNG")

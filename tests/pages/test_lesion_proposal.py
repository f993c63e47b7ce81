"""The lesion proposal on the Case page: shown, accepted, moved, chosen, taken over, and nothing found."""

import io

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from core.inference.lesion import Lesion
from core.inference.queue.place import Turn
from core.inference.queue.worker import Worker

PAGE = "pages/1_Case.py"
SQUARE = np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 0.6], [0.0, 0.6]])


@pytest.fixture
def at(open_page) -> AppTest:
    return open_page(PAGE)


def find(elements, label: str):
    return next(e for e in elements if e.label.startswith(label))


def words(at: AppTest) -> str:
    kinds = (at.markdown, at.caption, at.warning, at.info)
    return "\n".join(element.value for kind in kinds for element in kind)


def upload(at: AppTest, data: bytes) -> AppTest:
    at.file_uploader[0].set_value(("image", data, "application/octet-stream"))
    return at.run()


def read_box(at: AppTest) -> tuple[float, ...]:
    return tuple(find(at.number_input, name).value for name in ("Left", "Top", "Right", "Bottom"))


def find_these(monkeypatch, *lesions: tuple[float, float, float]) -> None:
    """Let the finder answer with rectangles: x, y and width, each 0.6 times as high as wide."""

    def answer(worker: Worker, frame, at=None, *, owner: str) -> Turn[tuple[Lesion, ...]]:
        turn = Turn(worker, "find", frame, "", tuple, lane="case", owner=owner)
        turn.settle([Lesion(SQUARE * w + [x, y], 0.9, frame.mm_per_px) for x, y, w in lesions])
        return turn

    monkeypatch.setattr(Worker, "begin_finding", answer)


def test_the_proposed_box_is_where_the_lesion_is(at, breast_png, breast_frame):
    upload(at, breast_png)
    assert not at.error
    assert not at.exception
    x0, y0, x1, y1 = read_box(at)
    a0, b0, a1, b1 = breast_frame.box
    source = at.session_state["case_frame"]
    frame = next(iter(source.values()))
    a0, a1 = a0 - frame.origin[0], a1 - frame.origin[0]
    b0, b1 = b0 - frame.origin[1], b1 - frame.origin[1]
    shared = max(min(x1, a1) - max(x0, a0), 0) * max(min(y1, b1) - max(y0, b0), 0)
    assert shared / ((x1 - x0) * (y1 - y0) + (a1 - a0) * (b1 - b0) - shared) > 0.5
    assert "Longest diameter" in words(at)
    assert "pixels" in words(at)
    assert not [b for b in at.button if b.label.endswith("as the size")]


def test_the_proposed_box_is_accepted(at, monkeypatch, breast_png):
    find_these(monkeypatch, (100, 80, 90))
    upload(at, breast_png)
    assert read_box(at) == (100, 80, 190, 134)
    assert "Proposed box:" in words(at)
    find(at.button, "Accept the proposed box").click().run()
    assert "You have accepted the proposed box" in words(at)
    assert "Proposed box:" not in words(at)


def test_a_moved_box_can_go_back_to_the_proposal(at, monkeypatch, breast_png):
    find_these(monkeypatch, (100, 80, 90))
    upload(at, breast_png)
    find(at.number_input, "Left").set_value(60).run()
    assert "Proposed box:" not in words(at)
    find(at.button, "Use the proposed box").click().run()
    assert read_box(at) == (100, 80, 190, 134)


def test_a_box_that_was_moved_stays_on_the_next_frame_of_a_loop(at, monkeypatch, breast_loop):
    find_these(monkeypatch, (100, 80, 90))
    upload(at, breast_loop)
    find(at.number_input, "Left").set_value(60).run()
    find_these(monkeypatch, (120, 80, 90))
    slider = find(at.slider, "Frame")
    slider.set_value(slider.value % 3 + 1).run()
    assert read_box(at) == (60, 80, 190, 134)


def test_a_box_that_was_not_moved_follows_the_frame(at, monkeypatch, breast_loop):
    find_these(monkeypatch, (100, 80, 90))
    upload(at, breast_loop)
    find_these(monkeypatch, (120, 80, 90))
    slider = find(at.slider, "Frame")
    slider.set_value(slider.value % 3 + 1).run()
    assert read_box(at) == (120, 80, 210, 134)


def test_one_of_several_lesions_is_chosen(at, monkeypatch, breast_png):
    find_these(monkeypatch, (100, 80, 90), (250, 150, 50))
    upload(at, breast_png)
    assert read_box(at) == (100, 80, 190, 134)
    find(at.segmented_control, "Several lesions were found").set_value(1).run()
    assert read_box(at) == (250, 150, 300, 180)


def test_the_size_is_taken_over_by_a_click_alone(at, monkeypatch, breast_loop):
    find_these(monkeypatch, (100, 80, 90))
    upload(at, breast_loop)
    assert find(at.number_input, "Largest diameter").value is None
    frame = next(iter(at.session_state["case_frame"].values()))
    size = round(90 * 1.36**0.5 * frame.mm_per_px, 1)
    find(at.button, f"Use {size} mm").click().run()
    assert find(at.number_input, "Largest diameter").value == size
    assert "is in the form" in words(at)


def test_the_size_of_a_drawn_box_is_offered_instead(at, monkeypatch, breast_loop):
    find_these(monkeypatch, (100, 80, 90))
    upload(at, breast_loop)
    find(at.number_input, "Right").set_value(200).run()
    frame = next(iter(at.session_state["case_frame"].values()))
    assert find(at.button, f"Use {round(100 * frame.mm_per_px, 1)} mm")


def test_nothing_found_is_said_and_the_default_box_stands(at, monkeypatch, breast_png):
    find_these(monkeypatch)
    upload(at, breast_png)
    assert "No lesion was found in this image" in words(at)
    assert "only a guess by brightness" in words(at)
    x0, y0, x1, y1 = read_box(at)
    assert x0 < x1
    assert y0 < y1
    assert not at.error


def test_a_black_image_has_no_lesion(at):
    buffer = io.BytesIO()
    Image.new("L", (400, 300), 3).save(buffer, format="PNG")
    upload(at, buffer.getvalue())
    assert not at.exception
    assert "Longest diameter" not in words(at)


def test_a_simulated_patient_keeps_its_own_box(at, monkeypatch):
    find_these(monkeypatch, (100, 80, 90))
    find(at.button, "Try this patient").click().run()
    assert read_box(at) != (100, 80, 190, 134)
    find(at.button, "Use the proposed box").click().run()
    assert read_box(at) == (100, 80, 190, 134)

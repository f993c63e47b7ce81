"""The right patient on the Case page: nothing of one case enters the next, and no answer is taken away for good."""

import io
import zipfile

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from core.imaging import read_frame
from tests.pages.test_case_page import SHIPPED, estimate, find, read_percent, try_patient, upload, words

PAGE = "pages/1_Case.py"
FIELDS = ("Age", "Largest diameter", "Menopausal", "BI-RADS", "Palpable", "Adler", "Axillary")
VALUES = {"Age": 71.0, "Largest diameter": 23.0}
CHOICES = {"Menopausal": "post", "BI-RADS": "4C"}


@pytest.fixture
def at(open_page) -> AppTest:
    return open_page(PAGE)


@pytest.fixture(scope="module")
def other_png(breast_png) -> bytes:
    """Another picture of the breast."""
    buffer = io.BytesIO()
    pixels = np.asarray(Image.open(io.BytesIO(breast_png)))
    Image.fromarray(pixels[:, ::-1]).save(buffer, format="PNG", compress_level=1)
    return buffer.getvalue()


@pytest.fixture
def filled(at, breast_png) -> AppTest:
    """A case with an image and four values."""
    return fill(upload(at, "a.png", breast_png))


def fill(at: AppTest) -> AppTest:
    for label, value in VALUES.items():
        find(at.number_input, label).set_value(value)
    for label, choice in CHOICES.items():
        find(at.segmented_control, label).set_value(choice)
    return at.run()


def read_form(at: AppTest) -> set[object]:
    fields = [*at.number_input, *at.segmented_control]
    return {w.value for w in fields if w.label.startswith(FIELDS)} - {None, "not known"}


def is_clear(at: AppTest) -> bool:
    return read_form(at) == set() and not at.exception


def choose(at: AppTest, patient: int) -> AppTest:
    find(at.selectbox, "Or a simulated patient").set_value(patient + 1)
    return try_patient(at)


def test_another_image_asks_first_and_brings_a_case_without_the_values(filled, other_png):
    assert read_form(filled) == {71.0, 23.0, "post", "4C"}
    upload(filled, "b.png", other_png)
    assert "Save or discard?** Not saved anywhere else: 1 image and 4 clinical values of this case" in words(filled)
    assert read_form(filled) == {71.0, 23.0, "post", "4C"}
    find(filled.button, "Discard this case").click().run()
    assert is_clear(filled)
    assert "Save or discard?" not in words(filled)
    assert "71" not in repr(filled.session_state["case"].values)
    assert 71.0 not in filled.session_state.values()
    estimate(filled)
    assert "**7 of 7** values not known" in words(filled)


def test_the_way_back_leaves_the_case_as_it_was(filled, other_png):
    before = read_percent(estimate(filled))
    upload(filled, "b.png", other_png)
    assert "the estimate, 1 image and 4 clinical values of this case" in words(filled)
    find(filled.button, "Back to this case").click().run()
    assert read_form(filled) == {71.0, 23.0, "post", "4C"}
    assert read_percent(filled) == before
    assert "Save or discard?" not in words(filled)
    upload(filled, "b.png", other_png)
    find(filled.button, "Discard this case").click().run()
    assert "probability of a high" not in words(filled)


def test_the_values_go_on_only_by_the_answer(filled, other_png):
    upload(filled, "b.png", other_png)
    find(filled.button, "Same patient").click().run()
    assert read_form(filled) == {71.0, 23.0, "post", "4C"}


def test_a_removed_image_takes_the_values_with_it(filled, other_png):
    find(filled.button, "Remove this image").click().run()
    find(filled.button, "Discard this case").click().run()
    assert is_clear(filled)
    upload(filled, "b.png", other_png)
    assert is_clear(filled)


def test_a_simulated_patient_brings_its_values_and_takes_them_away(filled, other_png):
    try_patient(filled)
    assert "Same patient: keep the values" not in [button.label for button in filled.button]
    find(filled.button, "Discard this case").click().run()
    assert 71.0 not in read_form(filled)
    mine = read_form(filled)
    choose(filled, 3)
    assert read_form(filled) != mine
    upload(filled, "b.png", other_png)
    assert is_clear(filled)
    assert "Save or discard?" not in words(filled)


def test_another_file_of_a_zip_is_another_case(at, breast_png, other_png):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a.png", breast_png)
        archive.writestr("b.png", other_png)
    fill(upload(at, "two.zip", buffer.getvalue()))
    chooser = find(at.selectbox, "Which file of the archive?")
    chooser.set_value(1).run()
    assert find(at.selectbox, "Which file of the archive?").value == 0
    find(at.button, "Discard this case").click().run()
    assert find(at.selectbox, "Which file of the archive?").value == 1
    assert is_clear(at)


def test_another_frame_of_a_loop_is_the_same_case(at, breast_loop):
    fill(upload(at, "loop", breast_loop))
    before = read_percent(estimate(at))
    slider = find(at.slider, "Frame")
    first = slider.value
    slider.set_value(first % 3 + 1).run()
    assert read_form(at) == {71.0, 23.0, "post", "4C"}
    find(at.slider, "Frame").set_value(first).run()
    assert read_percent(at) == before


def test_new_case_clears_all(filled):
    estimate(filled)
    find(filled.button, "New case").click().run()
    assert "1 image and 4 clinical values" in words(filled)
    find(filled.button, "Back to this case").click().run()
    assert read_form(filled) == {71.0, 23.0, "post", "4C"}
    find(filled.button, "New case").click().run()
    find(filled.button, "Discard this case").click().run()
    assert is_clear(filled)
    assert "probability of a high" not in words(filled)
    assert filled.session_state["case"].source is None
    kept = filled.session_state.to_dict()
    assert not [key for key in kept if str(key).startswith("case_") and kept[key] in (71.0, 23.0, "post", "4C")]
    find(filled.number_input, "Age").set_value(30.0).run()
    find(filled.button, "New case").click().run()
    find(filled.button, "Discard this case").click().run()
    assert is_clear(filled)


def test_values_entered_before_the_first_image_belong_to_it(at, breast_png):
    upload(fill(at), "a.png", breast_png)
    assert read_form(at) == {71.0, 23.0, "post", "4C"}


def test_the_box_of_one_image_is_not_the_next_ones(filled, other_png):
    find(filled.number_input, "Left").set_value(3).run()
    upload(filled, "b.png", other_png)
    find(filled.button, "Discard this case").click().run()
    assert find(filled.number_input, "Left").value != 3


def test_moving_the_box_back_brings_the_answer_back_without_the_network(filled):
    before = read_percent(estimate(filled))
    left = find(filled.number_input, "Left").value
    find(filled.number_input, "Left").set_value(20).run()
    assert read_percent(filled) == before
    assert "Earlier estimate" in words(filled)
    find(filled.number_input, "Left").set_value(left).run()
    assert read_percent(filled) == before
    assert "Earlier estimate" not in words(filled)


def test_a_box_that_is_none_keeps_the_earlier_answer(filled):
    before = read_percent(estimate(filled))
    find(filled.number_input, "Right").set_value(0).run()
    assert "the lesion box is empty" in filled.error[0].value.lower()
    assert read_percent(filled) == before
    assert "Earlier estimate" in words(filled)


def test_an_invalid_value_keeps_the_last_answer_and_says_so(filled):
    before = read_percent(estimate(filled))
    find(filled.number_input, "Age").set_value(470.0).run()
    assert [e.value for e in filled.error] == ["Age: 470 is outside 18 to 100 years; check the value and its unit."]
    assert find(filled.button, "Estimate").disabled
    assert read_percent(filled) == before
    assert "Earlier estimate" in words(filled)
    assert "A value of the form can't be used" in words(filled)
    find(filled.number_input, "Age").set_value(71.0).run()
    assert not filled.error
    assert read_percent(filled) == before
    assert "Earlier estimate" not in words(filled)


def test_a_contradiction_is_asked_about_and_confirmed(filled):
    find(filled.segmented_control, "Menopausal").set_value("pre").run()
    assert "71 years and premenopausal seldom go together" in words(filled)
    assert not find(filled.button, "Estimate").disabled
    find(filled.button, "It is right").click().run()
    assert not any("seldom go together" in w.value for w in filled.warning)
    find(filled.number_input, "Age").set_value(80.0).run()
    assert any("80 years and premenopausal" in w.value for w in filled.warning)


def test_a_diameter_larger_than_the_image_is_asked_about(at, breast_loop):
    upload(at, "loop", breast_loop)
    frame = read_frame(breast_loop)
    find(at.number_input, "Largest diameter").set_value(float(round(frame.width * frame.mm_per_px) + 5)).run()
    assert any("larger than the image" in w.value for w in at.warning)


def draw_web_page() -> bytes:
    """A light page with a heading, lines of words and a button."""
    pixels = np.full((600, 900, 3), 250, np.uint8)
    pixels[40:70, 60:400] = (40, 40, 60)
    for row in range(110, 380, 24):
        pixels[row : row + 8, 60 : 500 + row % 7 * 40 : 9] = (90, 90, 90)
        pixels[row : row + 8, 63 : 500 + row % 7 * 40 : 9] = (90, 90, 90)
    pixels[430:490, 60:280] = (30, 110, 220)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format="PNG")
    return buffer.getvalue()


def draw_noise() -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(np.random.default_rng(1).integers(0, 255, (400, 500), dtype=np.uint8)).save(buffer, format="PNG")
    return buffer.getvalue()


@pytest.mark.parametrize("draw", [draw_web_page, draw_noise])
def test_no_outline_is_proposed_on_a_picture_that_is_no_ultrasound(at, use_bundle, draw):
    use_bundle(SHIPPED)
    upload(at, "page.png", draw())
    assert at.error[0].value.startswith("No estimate.")
    assert "rely less" not in at.error[0].value
    assert "Proposed outline" not in words(at)
    assert "Draw a box" not in words(at)
    assert find(at.button, "Estimate").disabled

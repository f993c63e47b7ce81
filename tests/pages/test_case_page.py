"""Case: image, box, form, estimate, and every way to go wrong in one sentence."""

import io
import re
import zipfile
from pathlib import Path

import numpy as np
import pydicom
import pydicom.examples
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from core.inference.queue.worker import Worker
from tests.core.imaging.samples import make_dicom, make_speckle

PAGE = "pages/1_Case.py"
SHIPPED = Path(__file__).parents[2] / "models" / "ki67-demo"


@pytest.fixture
def at(open_page) -> AppTest:
    return open_page(PAGE)


def find(elements, label: str):
    return next(e for e in elements if e.label.startswith(label))


def words(at: AppTest) -> str:
    return "\n".join(element.value for element in (*at.markdown, *at.caption, *at.header, *at.warning))


def read_percent(at: AppTest) -> int:
    found = re.search(r"(\d+)\s% probability of a high Ki-67", words(at))
    assert found, [e.value for e in at.error]
    return int(found[1])


def encode(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format="PNG")
    return buffer.getvalue()


def upload(at: AppTest, name: str, data: bytes) -> AppTest:
    at.file_uploader[0].set_value((name, data, "application/octet-stream"))
    return at.run()


def try_patient(at: AppTest) -> AppTest:
    return find(at.button, "Try this patient").click().run()


def choose_view(at: AppTest, name: str) -> str:
    """Choose one of the views below the estimate, and give the page's words."""
    find(at.get("button_group"), "Why").set_value(name).run()
    return words(at)


def estimate(at: AppTest) -> AppTest:
    return find(at.button, "Estimate").click().run()


def test_without_an_image_there_is_nothing_to_estimate(at):
    assert not at.exception
    assert find(at.button, "Estimate").disabled
    assert "probability" not in words(at)


def test_every_predictor_is_asked_for_and_not_known_at_first(at):
    assert [w.label for w in at.number_input] == ["Age (years)", "Largest diameter on ultrasound (mm)"]
    assert all(w.value is None for w in at.number_input)
    assert {w.label: w.value for w in at.segmented_control} == {
        "Menopausal status": "not known",
        "Palpable mass": "not known",
        "BI-RADS category before biopsy": "not known",
        "Adler blood-flow grade": "not known",
        "Axillary nodes on ultrasound": "not known",
        "Side": "not known",
    }


def test_a_simulated_patient_fills_form_and_box(at):
    try_patient(at)
    assert find(at.number_input, "Age").value >= 18
    assert find(at.number_input, "Left").value < find(at.number_input, "Right").value
    assert "image and clinical values are made up" in words(at)


def test_an_upload_gets_an_estimate_with_interval_words_and_limits(at, breast_png):
    upload(at, "lesion.png", breast_png)
    estimate(at)
    text = words(at)
    assert 0 <= read_percent(at) <= 100
    assert re.search(r"95 % interval \*\*\d+\s% to \d+\s%\*\*", text)
    assert any(
        re.match(r"\*\*(Indeterminate|Classified as high|Classified as low|Uncertain)", info.value) for info in at.info
    )
    assert "**7 of 7** values not known" in text
    text = choose_view(at, "Limits")
    assert "so the interval is wider (7)" in text
    assert "colour Doppler" in text
    assert "Malignant lesion" in choose_view(at, "Other")


def test_no_file_name_appears_on_the_page(at, breast_png):
    estimate(upload(at, "jane_doe_1961.png", breast_png))
    assert "jane_doe" not in words(at)
    assert "jane_doe" not in repr(vars(at.session_state["case"].source))


def test_a_clinical_value_answers_at_once_without_the_network(at, monkeypatch, breast_png):
    estimate(upload(at, "a.png", breast_png))
    before = read_percent(at)

    def refuse(*_: object) -> None:
        raise AssertionError("the network ran again")

    monkeypatch.setattr(Worker, "begin_reading", refuse)
    find(at.number_input, "Largest diameter").set_value(60.0).run()
    assert read_percent(at) > before
    find(at.segmented_control, "Axillary").set_value("suspicious").run()
    assert "so the interval is wider (5)" in choose_view(at, "Limits")


def test_a_moved_box_asks_for_the_button_again(at, breast_png):
    estimate(upload(at, "a.png", breast_png))
    find(at.number_input, "Left").set_value(20).run()
    assert "press **Estimate** again" in words(at)
    assert "Earlier estimate" in words(at)
    assert not [e for e in at.get("download_button") if "Estimate (JSON)" in str(e.proto)]
    assert 0 <= read_percent(estimate(at)) <= 100
    assert "Earlier estimate" not in words(at)


def test_a_box_turned_inside_out_is_refused(at, breast_png):
    upload(at, "a.png", breast_png)
    find(at.number_input, "Right").set_value(0).run()
    assert [e.value for e in at.error] == [
        "The lesion box is empty: its right edge must lie right of its left, its bottom below its top."
    ]


def test_the_heat_map_can_be_contoured(at, breast_png):
    estimate(upload(at, "a.png", breast_png))
    before = read_percent(at)
    find(at.toggle, "Lines of equal").set_value(True).run()
    assert not at.exception
    assert not at.error
    assert read_percent(at) == before


def test_a_loop_has_a_slider_and_another_frame_asks_for_the_button(at, breast_loop):
    upload(at, "loop", breast_loop)
    slider = find(at.slider, "Frame")
    assert (slider.min, slider.max) == (1, 3)
    assert re.search(r"Box .* mm\.", words(at))
    assert 0 <= read_percent(estimate(at)) <= 100
    slider = find(at.slider, "Frame")
    slider.set_value(slider.value % 3 + 1).run()
    assert "press **Estimate** again" in words(at)
    assert 0 <= read_percent(estimate(at)) <= 100
    assert "one frame out of 3" in choose_view(at, "Limits")


def test_a_loop_of_the_heart_gets_a_caution(at, use_bundle):
    use_bundle(SHIPPED)
    upload(at, "loop", pydicom.examples.get_path("ybr_color").read_bytes())
    assert find(at.slider, "Frame").max == 30
    estimate(at)
    assert any("does not look like breast ultrasound" in warning.value for warning in at.warning)
    assert 0 <= read_percent(at) <= 100


def test_the_case_survives_a_look_at_another_page(at, breast_png):
    estimate(upload(at, "a.png", breast_png))
    find(at.number_input, "Age").set_value(61.0).run()
    before = read_percent(at)
    at.switch_page("pages/8_Model.py").run()
    at.switch_page(PAGE).run()
    assert find(at.number_input, "Age").value == 61.0
    assert read_percent(at) == before


CT = pydicom.examples.get_path("ct")


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"Patient,Age\nA,54\n" * 40, "holds text, not an image"),
        (b"", "is empty"),
        (encode(Image.new("L", (40_000, 2))), "40000 x 2 pixels"),
        (CT.read_bytes(), "CT"),
        (b"\x89PNG\r\n\x1a\n" + bytes(200), r"damaged|can't be read|cut short"),
    ],
    ids=["text as png", "empty", "too wide", "CT", "damaged"],
)
def test_a_bad_file_is_refused_in_one_sentence(at, data, sentence):
    upload(at, "image.png", data)
    assert not at.exception
    assert len(at.error) == 1
    assert re.search(sentence, at.error[0].value), at.error[0].value
    assert "Traceback" not in at.error[0].value


def test_a_good_file_after_a_bad_one_is_read(at, breast_png):
    upload(at, "image.png", b"")
    find(at.number_input, "Age").set_value(50.0).run()
    upload(at, "image.png", breast_png)
    assert not at.error
    assert find(at.number_input, "Age").value == 50.0


def test_an_age_of_430_is_marked_and_the_button_waits(at, breast_png):
    upload(at, "a.png", breast_png)
    find(at.number_input, "Age").set_value(430.0).run()
    assert [e.value for e in at.error] == ["Age: 430 is outside 18 to 100 years; check the value and its unit."]
    assert find(at.button, "Estimate").disabled


def test_a_refused_image_gets_no_estimate(open_page, use_bundle, refusing_bundle_dir, breast_png):
    use_bundle(refusing_bundle_dir)
    at = open_page(PAGE)
    use_bundle(refusing_bundle_dir)
    at.run()
    upload(at, "a.png", breast_png)
    assert find(at.button, "Estimate").disabled
    assert at.error[0].value.startswith("No estimate. The image does not look like ultrasound.")
    assert "probability of a high" not in words(at)


def test_a_fault_of_the_program_is_logged_without_its_message(at, monkeypatch, caplog, breast_png):
    name = " ".join(["Jane", "Doe"])

    def fail(*_: object) -> None:
        raise ValueError(f"could not convert '{name}'")

    monkeypatch.setattr(Worker, "predict", fail)
    estimate(upload(at, "a.png", breast_png))
    assert [e.value for e in at.error] == [
        "Something went wrong in the program, not in your data. It was logged; reload the page and try again."
    ]
    assert "ValueError" in caplog.text
    assert name not in caplog.text


def test_two_files_given_together_are_views_with_an_estimate_each(at, breast_png, breast_loop):
    kind = "application/octet-stream"
    at.file_uploader[0].set_value([("a.png", breast_png, kind), ("b.dcm", breast_loop, kind)])
    estimate(at.run())
    assert re.search(r"The 2 views differ by \d\.\d\d log-odds: alone, they give \d+\s% and \d+\s%", words(at))
    state = at.session_state["case"]
    assert state.answer.numbers == (1, 2)
    prediction = state.answer.prediction
    shares = [view.contribution for view in prediction.views]
    assert sum(shares) == pytest.approx(prediction.contributions["image"], abs=1e-6)
    joint = read_percent(at)
    find(at.button, "2: ").click().run()
    assert at.session_state["case"].shown == 2
    assert read_percent(at) == joint
    find(at.button, "Leave this view out").click().run()
    assert at.session_state["case"].answer.numbers == (1,)
    assert "views differ" not in words(at)
    find(at.button, "Use this view").click().run()
    assert read_percent(at) == joint


def test_a_picture_given_twice_is_named_until_one_is_left_out(at, breast_png):
    files = [("a.png", breast_png, "image/png"), ("again.png", breast_png, "image/png")]
    at.file_uploader[0].set_value(files).run()
    assert "View 2 shows the same picture as view 1" in words(at)
    find(at.button, "Leave this view out").click().run()
    assert "the same picture" not in words(at)


def test_files_that_are_no_image_are_removed_at_once(at, breast_png):
    kind = "application/octet-stream"
    files = [("letter.pdf", b"%PDF-1.4 x", kind), ("a.png", breast_png, kind), ("notes.txt", b"hello", kind)]
    at.file_uploader[0].set_value(files).run()
    assert "Views 1 and 3 can't be used; the reasons stand below the image." in words(at)
    assert find(at.button, "Estimate").disabled
    find(at.button, "Remove these 2 and go on").click().run()
    assert "can't be used" not in words(at)
    assert read_percent(estimate(at)) >= 0
    assert at.session_state["case"].answer.numbers == (2,)


def test_a_view_is_added_to_a_case_and_keeps_its_values(at, breast_png):
    estimate(upload(at, "a.png", breast_png))
    find(at.number_input, "Age").set_value(61.0).run()
    turned = encode(Image.open(io.BytesIO(breast_png)).rotate(180))
    find(at.file_uploader, "More views").set_value(("b.png", turned, "application/octet-stream"))
    at.run()
    assert "press **Estimate** again" in words(at)
    estimate(at)
    assert find(at.number_input, "Age").value == 61.0
    assert len(at.session_state["case"].answer.prediction.views) == 2


def test_the_images_of_a_zip_become_views_when_they_show_one_lesion(at, breast_png):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, angle in (("a.png", 0), ("b.png", 180)):
            archive.writestr(name, encode(Image.open(io.BytesIO(breast_png)).rotate(angle)))
    upload(at, "two.zip", buffer.getvalue())
    find(at.button, "They show one lesion").click().run()
    estimate(at)
    assert [view.item for view in at.session_state["case"].views] == [0, 1]
    assert len(at.session_state["case"].answer.prediction.views) == 2


def test_files_of_two_patients_are_no_views_of_one_lesion(at, breast_loop):
    other = pydicom.dcmread(io.BytesIO(breast_loop))
    other.PatientID = "T-2"
    buffer = io.BytesIO()
    other.save_as(buffer)
    kind = "application/octet-stream"
    at.file_uploader[0].set_value([("a", breast_loop, kind), ("b", buffer.getvalue(), kind)])
    at.run()
    assert "name different patients" in at.error[0].value
    assert at.session_state["case"].views == ()


def test_a_zip_of_two_patients_is_no_case(at, breast_loop):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in ("T-1", "T-2"):
            one, file = pydicom.dcmread(io.BytesIO(breast_loop)), io.BytesIO()
            one.PatientID = name
            one.save_as(file)
            archive.writestr(f"{name}.dcm", file.getvalue())
    upload(at, "two.zip", buffer.getvalue())
    find(at.button, "They show one lesion").click().run()
    assert "name different patients" in at.error[0].value
    assert [view.item for view in at.session_state["case"].views] == [None]


def pack(count: int, image: bytes) -> bytes:
    """Pack images that differ, and a file that is none."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for i in range(count):
            archive.writestr(f"{i}.png", encode(Image.open(io.BytesIO(image)).resize((120 + i, 90))))
        archive.writestr("read me.txt", "no image")
    return buffer.getvalue()


def test_what_a_case_has_no_room_for_is_named(at, breast_png):
    at.file_uploader[0].set_value([("a.png", breast_png, "image/png"), ("b.zip", pack(13, breast_png), "")])
    at.run()
    assert at.error[0].value == (
        "12 of 14 images were loaded: a case holds at most 12. Not taken: image 12 of file 2 and the 1 behind it. "
        "1 file of the archive is not an image that can be read; it is left out."
    )
    assert [view.item for view in at.session_state["case"].views] == [None, *range(11)]


def test_the_images_of_a_zip_are_added_as_views_of_their_own(at, breast_png):
    estimate(upload(at, "a.png", breast_png))
    find(at.file_uploader, "More views").set_value(("b.zip", pack(2, breast_png), ""))
    at.run()
    assert [view.item for view in at.session_state["case"].views] == [None, 0, 1]
    assert "1 file of the archive is not an image" in at.error[0].value


def test_the_plane_of_a_view_is_kept_and_exported(at, breast_png):
    estimate(upload(at, "a.png", breast_png))
    assert "Plane, more views" in [block.proto.popover.label for block in at.get("popover")]
    find(at.selectbox, "Plane of this view").set_value("longitudinal").run()
    assert at.session_state["case"].views[0].plane == "longitudinal"
    assert at.session_state["case"].answer.case.views[0].plane == "longitudinal"


def test_a_loop_is_scored_frame_by_frame_and_its_mean_estimated_from(at, breast_loop):
    estimate(upload(at, "loop", breast_loop))
    find(at.button, "Score all 3 frames").click().run()
    (job,) = [value for key, value in at.session_state.items() if key.endswith("_loop")]
    job.wait(120)
    at.run()
    assert [frame.index for frame in job.reading.frames] == [0, 1, 2]
    find(at.radio, "Estimate from").set_value("Mean of the frames that pass").run()
    answer = at.session_state["case"].answer
    assert answer.prediction.score == pytest.approx(np.mean([f.score for f in job.reading.passing]))
    assert answer.case.views[0].n_frames == len(job.reading.passing)
    assert "the mean of" in choose_view(at, "Limits")
    assert not [text.value for text in at.warning if "not of this box" in text.value]
    find(at.number_input, "Right").set_value(find(at.number_input, "Right").value - 9).run()
    assert [text.value for text in at.warning if "not of this box" in text.value]


def test_the_document_of_an_upload_is_titled_with_the_pseudonym_that_was_typed(at, breast_png, monkeypatch):
    made = {}
    monkeypatch.setattr("streamlit.download_button", lambda label, data, **_: made.update({label: data}))
    estimate(upload(at, "image.png", breast_png))
    find(at.text_input, "Pseudonym for the document").set_value("K-0147").run()
    assert "K-0147" in made["Document (HTML)"]().decode()
    try_patient(at)
    find(at.button, "Discard this case").click().run()
    estimate(at)
    assert "Pseudonym for the document" not in [field.label for field in at.text_input]


def list_fields(at: AppTest) -> list[str]:
    return [field.label for field in at.get("button_group")]


def test_the_side_is_asked_for_where_no_header_names_it_and_reaches_the_case(at, breast_png, monkeypatch):
    cases = []
    predict = Worker.predict
    monkeypatch.setattr(Worker, "predict", lambda self, case, *rest: cases.append(case) or predict(self, case, *rest))
    upload(at, "a.png", breast_png)
    find(at.get("button_group"), "Side").set_value("left").run()
    estimate(at)
    assert cases[-1].side == "left"
    assert "laterality" not in cases[-1].clinical


@pytest.mark.parametrize(
    ("tags", "said"),
    [
        ({"ImageLaterality": "R"}, "Side: right breast"),
        ({"ImageLaterality": "R", "Laterality": "L"}, "both the left and the right"),
    ],
)
def test_a_header_that_names_the_side_is_shown_in_place_of_the_field(at, tags, said):
    upload(at, "a.dcm", make_dicom(make_speckle(240, 320), **tags))
    assert said in words(at)
    assert ("Side" in list_fields(at)) == (len(tags) > 1)


def test_a_side_that_a_header_contradicts_is_asked_about(at):
    find(at.get("button_group"), "Side").set_value("left").run()
    upload(at, "a.dcm", make_dicom(make_speckle(240, 320), ImageLaterality="R"))
    assert "header says right breast, the field laterality says left" in words(at)
    find(at.get("button_group"), "Side").set_value("right").run().run()
    assert "Side: right breast, by the file's header" in words(at)

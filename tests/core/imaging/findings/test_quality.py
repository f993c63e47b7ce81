"""What is said about a frame and its box before the model is asked."""

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter

from core.imaging import Frame, Roi, assess_quality, read_frame
from core.imaging.findings.calipers import find_calipers, remove_calipers
from core.imaging.findings.overlays import find_crosses, find_seam, find_words
from core.imaging.findings.whole_frame import get_survey, survey_pixels
from tests.core.imaging.samples import encode, make_speckle

BOX = Roi(120, 80, 220, 160)


def make_frame(pixels: np.ndarray, colour: np.ndarray | None = None) -> Frame:
    return Frame(pixels.copy(), None, (0.0, 0.0), (1.0, 1.0), "0" * 64, colour=colour)


def draw_crosses(pixels: np.ndarray, points: list[tuple[int, int]], arm: int = 5) -> np.ndarray:
    image = Image.fromarray(pixels)
    draw = ImageDraw.Draw(image)
    for x, y in points:
        draw.line((x - arm, y, x + arm, y), fill=230)
        draw.line((x, y - arm, x, y + arm), fill=230)
    return np.asarray(image)


TISSUE = (make_speckle(300, 360).astype(float) * 0.5).astype(np.uint8)


def names_of(frame: Frame, box: Roi = BOX) -> dict[str, str]:
    return {finding.name: finding.status for finding in assess_quality(frame, box)}


def test_plain_tissue_is_ok():
    assert names_of(make_frame(TISSUE)) == {"quality": "ok"}


def test_a_blank_image_is_refused():
    assert names_of(make_frame(np.full((200, 300), 60, np.uint8)))["blank"] == "refused"


def test_a_tiny_image_is_refused():
    assert names_of(make_frame(make_speckle(40, 50)), Roi(10, 10, 30, 30)) == {"size": "refused"}


def test_a_saturated_box_is_cautioned():
    pixels = TISSUE.copy()
    pixels[80:130, 120:220] = 255
    assert names_of(make_frame(pixels))["saturated"] == "caution"


def test_a_blurred_image_is_cautioned():
    blurred = np.asarray(Image.fromarray(TISSUE).filter(ImageFilter.GaussianBlur(8)))
    assert names_of(make_frame(blurred))["blurred"] == "caution"


@pytest.mark.parametrize(
    ("box", "name", "status"),
    [
        (Roi(-5, 80, 100, 160), "box edge", "caution"),
        (Roi(100, 100, 110, 160), "small box", "caution"),
        (Roi(400, 80, 500, 160), "box outside", "refused"),
    ],
)
def test_a_box_that_misses_the_lesion_is_told(box, name, status):
    assert names_of(make_frame(TISSUE), box)[name] == status


@pytest.mark.parametrize(("rows", "status"), [(40, "refused"), (3, "caution")])
def test_colour_in_the_box_is_told(rows, status):
    colour = np.zeros(TISSUE.shape, bool)
    colour[90 : 90 + rows, 120:220] = True
    assert names_of(make_frame(TISSUE, colour))["colour"] == status


def test_colour_far_from_the_box_is_no_matter():
    colour = np.zeros(TISSUE.shape, bool)
    colour[200:240, 120:220] = True
    assert "colour" not in names_of(make_frame(TISSUE, colour))


def test_crosses_are_found_where_they_are_and_painted_over():
    points = [(120, 120), (220, 120), (170, 82), (170, 158)]
    frame = make_frame(draw_crosses(TISSUE, points))
    found = find_calipers(frame, BOX)
    assert sorted(found) == sorted(points)
    clean = remove_calipers(frame, found)
    assert find_calipers(clean, BOX) == ()
    assert any("4 caliper marks were painted over" in note for note in clean.notes)
    changed = clean.pixels != frame.pixels
    assert changed.mean() < 0.02
    assert np.abs(clean.pixels.astype(int) - TISSUE).max() < 120


@pytest.mark.parametrize("seed", range(4))
def test_speckle_alone_holds_no_calipers_no_text_and_no_seam(seed):
    pixels = (make_speckle(300, 360, seed) * 0.6).astype(np.uint8)
    assert find_crosses(pixels) == ()
    assert find_words(pixels) == ()
    assert find_seam(pixels) is None


def test_a_burned_in_name_is_found():
    image = Image.fromarray(TISSUE)
    ImageDraw.Draw(image).text((150, 100), "WELLINGTON ARTHUR", fill=255)
    frame = make_frame(np.asarray(image))
    assert any(word.x0 <= 200 <= word.x1 or word.x0 <= 160 <= word.x1 for word in find_words(frame.pixels))
    assert names_of(frame)["text in box"] == "caution"
    assert names_of(frame, Roi(20, 200, 100, 280))["text"] == "note"


def test_two_views_side_by_side_are_told():
    pair = np.hstack([make_speckle(300, 200, 1), np.clip(make_speckle(300, 200, 2) * 0.5 + 5, 0, 255).astype(np.uint8)])
    frame = make_frame(pair)
    assert find_seam(frame.pixels) == pytest.approx(200, abs=1)
    assert names_of(frame, Roi(150, 80, 260, 160))["two views"] == "caution"


@pytest.mark.parametrize("arm", [3, 4, 5, 6, 8])
def test_a_cross_is_found_at_every_arm_length_and_at_the_edge(arm):
    points = [(arm + 3, arm + 3), (200, 150), (360 - arm - 4, 300 - arm - 4)]
    assert set(points) <= set(find_crosses(draw_crosses(TISSUE, points, arm)))


@pytest.mark.parametrize("shape", [(1, 1), (5, 4), (2, 90), (90, 2), (15, 40), (17, 33)])
@pytest.mark.parametrize("level", [0, 255])
def test_tiny_and_even_frames_can_be_surveyed(shape, level):
    survey = survey_pixels(np.full(shape, level, np.uint8))
    assert (survey.levels, survey.crosses, survey.words, survey.seam) == ((level, level), (), (), None)


def test_the_survey_comes_with_the_decoded_frame():
    image = Image.fromarray(draw_crosses(TISSUE, [(120, 120), (220, 120)]))
    ImageDraw.Draw(image).text((150, 100), "WELLINGTON ARTHUR", fill=255)
    frame = read_frame(encode(np.asarray(image)))
    assert frame.survey == survey_pixels(np.asarray(image))
    assert frame.survey.crosses
    assert frame.survey.words
    assert assess_quality(frame, BOX) == assess_quality(make_frame(np.asarray(image)), BOX)


def test_what_was_painted_over_is_surveyed_anew():
    frame = read_frame(encode(draw_crosses(TISSUE, [(120, 120), (220, 120)])))
    clean = remove_calipers(frame, find_calipers(frame, BOX))
    assert get_survey(clean).crosses == ()

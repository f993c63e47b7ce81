"""Figures for print: size on paper, least letters, the same bytes, words for screen readers."""

import io
import re

import pypdfium2
import pytest
from PIL import Image

from core.errors import UsageError
from core.evaluation import compute_roc
from core.figures.cohort.roc import draw_rocs
from core.figures.printing import check_width, find_layout_width, render_print
from core.figures.rendering import render_svg

NOTE = "SIMULATED patients. External test, n = 8."
WORDS = {"title": "ROC <curve>", "alt": "The AUC was 0.8 & more", "note": NOTE}


@pytest.fixture(scope="module")
def figure():
    y, score = [0, 0, 1, 0, 1, 1, 0, 1], [0.1, 0.2, 0.3, 0.4, 0.5, 0.7, 0.6, 0.9]
    return draw_rocs({"Model": compute_roc(y, score)})


@pytest.mark.parametrize("width_mm", [60.0, 84.0, 90.0, 174.0, 180.0])
def test_each_form_has_the_width_on_paper(figure, width_mm):
    svg = render_print(figure, "svg", width_mm=width_mm, **WORDS).decode()
    assert svg.startswith(f'<svg xmlns="http://www.w3.org/2000/svg" width="{width_mm:.3f}mm"')
    height_mm = float(re.search(r'height="([\d.]+)mm"', svg)[1])
    page = pypdfium2.PdfDocument(render_print(figure, "pdf", width_mm=width_mm, **WORDS))[0]
    assert [side / 72 * 25.4 for side in page.get_size()] == pytest.approx([width_mm, height_mm], abs=0.01)
    picture = Image.open(io.BytesIO(render_print(figure, "png", width_mm=width_mm, **WORDS)))
    assert picture.info["dpi"] == pytest.approx((300, 300), abs=0.01)
    assert [side / 300 * 25.4 for side in picture.size] == pytest.approx([width_mm, height_mm], abs=0.09)


@pytest.mark.parametrize("width_mm", [60.0, 85.0, 175.0, 200.0])
def test_no_letter_is_smaller_than_7_points(figure, width_mm):
    pixels = find_layout_width(width_mm)
    sizes = re.findall(r'font-size="([\d.]+)"', render_svg(figure, width=pixels, note=NOTE, outlined=False).decode())
    assert min(map(float, sizes)) / pixels * width_mm / 25.4 * 72 >= 7.0 - 1e-9


def test_words_are_in_the_files(figure):
    svg = render_print(figure, "svg", width_mm=85, **WORDS).decode()
    assert "<title>ROC &lt;curve&gt;</title><desc>The AUC was 0.8 &amp; more</desc>" in svg
    text = pypdfium2.PdfDocument(render_print(figure, "pdf", width_mm=85, **WORDS))[0].get_textpage().get_text_range()
    assert NOTE in text
    assert "Sensitivity" in text


@pytest.mark.parametrize("form", ["svg", "pdf", "png"])
def test_the_same_figure_gives_the_same_bytes(figure, form):
    assert render_print(figure, form, width_mm=85, **WORDS) == render_print(figure, form, width_mm=85, **WORDS)


@pytest.mark.parametrize("width_mm", [59.9, 200.1, float("nan"), -1])
def test_a_width_that_no_page_has_is_refused(width_mm):
    with pytest.raises(UsageError, match="a journal's column in mm, from 60 to 200"):
        check_width(width_mm)

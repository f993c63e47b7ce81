"""The small graph of a list: places on the scale, and a hollow diamond without an interval."""

import re
from xml.etree import ElementTree as ET

from core.figures.case.interval import EDGE, WIDTH, describe_interval, encode_svg, render_interval

PLACE = {"no_call": (0.4, 0.6), "threshold": 0.5}


def test_interval_and_diamond_stand_where_they_belong():
    svg = render_interval(0.5, (0.0, 1.0), **PLACE)
    ET.fromstring(svg)
    assert f"M{EDGE:.2f} 14.00L{WIDTH - EDGE:.2f} 14.00" in svg
    assert f"M{WIDTH / 2:.2f} 8.15L" in svg
    assert svg.count("#D55E00") == 5


def test_without_an_interval_the_diamond_is_hollow():
    svg = render_interval(0.2, None, **PLACE)
    assert re.findall(r'fill="([^"]*)" stroke="#D55E00"', svg) == ["none"]
    assert "no interval" in describe_interval(0.2, None, **PLACE)


def test_the_words_and_the_address():
    words = describe_interval(0.25, (0.1, 0.4), **PLACE).replace("\N{NO-BREAK SPACE}", " ")
    assert words == (
        "From 0 to 100 %: estimate 25 %, 95 % interval 10 % to 40 %, threshold 50 %, indeterminate range 40 % to 60 %."
    )
    assert encode_svg("<svg/>") == "data:image/svg+xml;base64,PHN2Zy8+"

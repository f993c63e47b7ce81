"""Home: what it says, and the way to a result in three clicks."""

import re
import subprocess
import sys
from pathlib import Path

from streamlit.testing.v1 import AppTest

ROOT = Path(__file__).parents[2]
HEAVY = ("torch", "openvino", "pydicom", "pandas", "scipy", "sklearn", "lifelines")


def words(at: AppTest) -> str:
    return "\n".join(element.value for element in (*at.markdown, *at.caption, *at.title, *at.header))


def test_home_says_what_it_is_for_and_that_it_is_simulated(open_page):
    text = words(open_page("app.py"))
    assert "Research use only" in text
    assert "SIMULATED" in text
    assert "test-bundle" in text
    assert "20 % or more" in text
    assert "not a medical device" in text


def test_a_first_time_user_reaches_a_result_in_two_clicks(open_page):
    at = open_page("app.py")
    next(b for b in at.button if b.label == "Try a simulated patient").click().run()
    next(b for b in at.button if b.label == "Estimate").click().run()
    assert not at.exception
    assert re.search(r"\d+\s% probability of a high Ki-67", words(at))


def test_home_opens_without_a_bundle_and_says_so(open_page, use_bundle, tmp_path):
    use_bundle(tmp_path)
    at = open_page("app.py").run()
    assert not at.exception
    assert "No model is loaded" in words(at)
    assert "Intended use" in words(at)


def test_the_first_page_waits_for_no_heavy_library():
    code = f"import sys, core.ui; print(*[name for name in {HEAVY} if name in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == ""

"""Texts of files and users on the pages: seen as they are, and never a link, picture, formula, colour or icon."""

import json
import re
from pathlib import Path

import pandas as pd
import plotly.graph_objects as go
import pytest

from core.plain_text import plain, plain_document, plain_figure, plain_table
from tests.pages.serving import PATIENCE_MS, serve_app
from tests.pages.test_in_browser import browser  # noqa: F401

ROOT = Path(__file__).parents[2]
EVIL = "http://evil.test"
HOSTILE = [
    f"![x]({EVIL}/a.png)",
    f"[link]({EVIL}/b)",
    f"<img src={EVIL}/c.png onerror=alert(1)>",
    f"<a href='{EVIL}/d'>click</a>",
    f"{EVIL}/bare",
    "www.evil.test/bare",
    "somebody@evil.test",
    f"<{EVIL}/auto>",
    ":red[warning]",
    ":red-background[x] :small[y]",
    ":material/warning: and :material_warning:",
    ":streamlit: :smile: :+1: :100:",
    "$x^2$ and $$y^2$$",
    "**bold** _it_ ~~gone~~ `code`",
    "# title",
    "> quoted",
    "- item",
    "1. item",
    f"x] ![y]({EVIL}/e.png)",
    f"[ref]\n\n[ref]: {EVIL}/f",
    f"&lt;img src={EVIL}/g.png&gt; &#60;b&#62;",
    f"\\![z]({EVIL}/h.png)",
    "a\n\n---\n\n    code",
]
PLAIN = [
    "P-001",
    "SIM-D0001",
    "rfs_months",
    "Centre B (north)",
    "35 %",
    "12:30",
    "it's 5 > 3 & 2 < 3"[:12],
    "a/b",
    "2-3",
]


@pytest.mark.parametrize("text", PLAIN)
def test_what_is_harmless_stays_as_it_is(text):
    assert plain(text) == text


@pytest.mark.parametrize("text", HOSTILE)
def test_what_acts_is_written_otherwise(text):
    assert plain(text) != text
    assert not re.search(r"!\[|\]\(|<|\$|\*\*|`|://|www\.|@\w|:\w+\[|:\w+:|\n", plain(text))


def test_a_card_keeps_its_form_and_leads_nowhere():
    card = "# Card\n\n| a | b |\n| --- | --- |\n| *x* | 1 |\n\n- `item`\n"
    assert plain_document(card) == card
    for text in HOSTILE:
        written = plain_document(f"{card}\n{text}")
        assert not re.search(r"!\[|\]\(|\]:|<|\$|://|www\.|@\w|:\w+\[|:\w+:", written)


def test_tables_keep_numbers_and_figures_keep_our_own_tags():
    table = plain_table(pd.DataFrame({"[n](x)": [1.5], "a": ["<b>"]}))
    assert table.iloc[0, 0] == 1.5
    assert not any("<" in str(value) or "[" in str(value) for value in (*table.columns, *table.iloc[0]))
    figure = go.Figure(go.Scatter(x=["<a href='x'>y</a>"], y=[1], name="<b>n</b><br>", customdata=[["$z$"]]))
    figure.update_traces(hovertemplate="%{x}<extra></extra>")
    trace = plain_figure(figure).data[0]
    assert trace.name == "<b>n</b><br>"
    assert trace.hovertemplate == "%{x}<extra></extra>"
    assert trace.x[0] == "&#60;a href='x'>y&#60;/a>"
    assert trace.customdata[0][0] == "&#36;z&#36;"
    assert figure.data[0].x[0] == "<a href='x'>y</a>"


def test_figures_and_markdown_tables_are_shown_by_way_of_it_alone():
    for path in [*ROOT.glob("pages/*.py"), *ROOT.glob("core/ui/**/*.py")]:
        source = path.read_text(encoding="utf-8")
        assert not re.search(r"st\.table\((?!plain_table\()", source), path.name
        assert not re.search(r"st\.plotly_chart\(\s*(?!\s|plain_figure\(|plot_icons\()", source), path.name


@pytest.mark.browser
@pytest.mark.needs("chromium")
def test_a_browser_shows_them_and_asks_nobody(browser):  # noqa: F811
    asked = []
    script = "tests/security/plain_text_app.py"
    with serve_app(script=script, HOSTILE_TEXTS=json.dumps(HOSTILE), PYTHONPATH=str(ROOT)) as address:
        page = browser.new_context(viewport={"width": 1280, "height": 1000}).new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.on("request", lambda request: asked.append(request.url))
        page.goto(address, timeout=PATIENCE_MS)
        page.get_by_text("The end").wait_for()
        page.wait_for_timeout(2000)
        main = page.get_by_test_id("stMain")
        for made in (
            "a[href*=evil]",
            "a[href^=mailto]",
            "img",
            ".katex",
            "strong strong",
            "del",
            "blockquote",
            "ul",
            "ol",
            "code",
            "pre",
            "hr",
            "[data-testid=stIconMaterial]",
            ".stMarkdownColoredText",
            "svg a",
        ):
            assert main.locator(made).count() == 0, made
        seen = main.inner_text().replace("\N{WORD JOINER}", "")
        for text in HOSTILE:
            assert " ".join(text.split()) in seen
        page.context.close()
    assert not [url for url in asked if "evil" in url]

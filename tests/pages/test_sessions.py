"""Two sessions with two cohorts: on every page, each sees its own patients and nothing of the other's."""

from pathlib import Path

import pandas as pd
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from tests.pages.cohorts import COHORT, encode, make_table, upload
from tests.pages.conftest import start_page

PAGES = ["app.py", *(f"pages/{p.name}" for p in sorted((Path(__file__).parents[2] / "pages").glob("*.py")))]
BOARD = "pages/9_Tumour_board.py"
FIGURES = ("plotly_chart", "imgs")


@pytest.fixture(autouse=True)
def database(monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("SONOKI_DATABASE_URL", f"sqlite:///{tmp_path / 'board.db'}")


@pytest.fixture
def clean_caches(open_page):
    """As on a server just started."""
    st.cache_data.clear()
    st.cache_resource.clear()
    return open_page


def make_marked(mark: str, seed: int) -> pd.DataFrame:
    """A cohort whose pseudonyms and centres carry a mark."""
    table = make_table(seed)
    table["patient_id"] = table["patient_id"].str.replace("U-", f"{mark}-")
    table["centre"] = table["centre"] + f" {mark}"
    return table


def open_cohort(mark: str, seed: int) -> AppTest:
    """A session with a cohort of its own."""
    return upload(start_page(COHORT), encode(make_marked(mark, seed)))


def read_page(at: AppTest, page: str) -> str:
    """Give all words, tables and figures of a page."""
    at.switch_page(page).run()
    assert not at.exception, page
    texts = [str(e.value) for kind in (at.title, at.header, at.subheader, at.markdown, at.caption) for e in kind]
    texts += [str(e.value) for kind in (at.info, at.warning, at.error) for e in kind]
    texts += [e.value.to_csv() for kind in (at.dataframe, at.table) for e in kind]
    texts += [f"{e.label} {getattr(e, 'options', '')}" for kind in (at.selectbox, at.multiselect) for e in kind]
    return "\n".join([*texts, *(str(e.proto) for kind in FIGURES for e in at.get(kind))])


def test_no_page_shows_a_session_the_cohort_of_another(clean_caches):
    alone = open_cohort("of-two", 11)
    before = {page: read_page(alone, page) for page in PAGES}
    st.cache_data.clear()
    st.cache_resource.clear()
    first, second = open_cohort("of-one", 5), open_cohort("of-two", 11)
    for page in PAGES:
        theirs, ours = read_page(first, page), read_page(second, page)
        assert "of-one" not in ours, page
        assert "of-two" not in theirs, page
        assert ours == before[page], page
    assert "of-one-60" in read_page(first, BOARD)
    assert "of-two-60" in read_page(second, BOARD)


def test_a_fresh_session_sees_the_bundles_patients_after_anothers_upload(clean_caches):
    alone = {page: read_page(start_page("app.py"), page) for page in PAGES}
    st.cache_data.clear()
    st.cache_resource.clear()
    other = open_cohort("of-one", 5)
    for page in PAGES:
        read_page(other, page)
        assert read_page(start_page("app.py"), page) == alone[page], page


def test_an_upload_replaces_the_simulated_patients_on_the_board(open_page):
    at = open_page(BOARD)
    assert "simulated" in read_page(at, BOARD)
    upload(at.switch_page(COHORT).run(), encode(make_table()))
    text = read_page(at, BOARD)
    assert "U-60" in text
    assert "T-060" not in text
    assert "These patients are simulated" not in text

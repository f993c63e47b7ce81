"""Scoring a package on the Cohort page, in process."""

import io
import zipfile
from pathlib import Path

import pandas as pd
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import FileUploader

from core.simulation import write_cohort
from tests.pages.cohorts import words

PAGES = Path(__file__).parents[2] / "pages"


def offer_package(at: AppTest, table: str, folder: Path) -> AppTest:
    """Upload a table with the frames of a folder, and wait until they are scored."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as package:
        package.writestr("cohort.csv", table)
        for frame in (folder / "frames").iterdir():
            package.write(frame, f"frames/{frame.name}")
    find_uploader(at).set_value(("cohort.zip", buffer.getvalue(), "application/zip")).run()
    at.session_state["scoring_job"].wait(120)
    return at.run()


def find_uploader(at: AppTest) -> FileUploader:
    return next(u for u in at.file_uploader if u.label == "Table and images: ZIP")


def test_a_package_is_scored_and_becomes_the_cohort(open_page, tmp_path):
    lines = write_cohort(tmp_path, 8, 3).read_text().splitlines()
    table = "\n".join([*lines, lines[-1].replace(".png", "_gone.png")])
    at = offer_package(open_page("pages/2_Cohort.py"), table, tmp_path)
    assert not at.exception
    assert "8 of 8 patients of the uploaded cohort" in words(at)
    assert "1 of 9 rows were refused" in words(at)


def test_patients_before_surgery_are_scored_and_no_page_fails_on_them(open_page, tmp_path):
    table = pd.read_csv(write_cohort(tmp_path, 8, 3), dtype=str)[["patient_id", "image", "box", "age"]]
    at = offer_package(open_page("pages/2_Cohort.py"), table.to_csv(index=False), tmp_path)
    assert "8 of 8 patients of the uploaded cohort" in words(at)
    assert "the tumour board shows these patients" in words(at)
    for page in sorted(PAGES.glob("[3-9]*.py")):
        at.switch_page(f"pages/{page.name}").run()
        assert not at.exception, page.name
        assert "uploaded cohort" in words(at) or page.name.startswith(("8", "9")), page.name


def test_a_file_that_is_no_package_gets_a_sentence(open_page):
    at = open_page("pages/2_Cohort.py")
    find_uploader(at).set_value(("cohort.zip", b"no archive", "application/zip")).run()
    assert [error.value for error in at.error] == [
        "The file is not a zip archive: pack the table and its images into one."
    ]

"""Scoring a package on the Cohort page, in process."""

import io
import zipfile

from core.simulation import write_cohort
from tests.pages.cohorts import words


def test_a_package_is_scored_and_becomes_the_cohort(open_page, tmp_path):
    manifest = write_cohort(tmp_path, 8, 3)
    lines = manifest.read_text().splitlines()
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as package:
        package.writestr("cohort.csv", "\n".join([*lines, lines[-1].replace(".png", "_gone.png")]))
        for frame in (tmp_path / "frames").iterdir():
            package.write(frame, f"frames/{frame.name}")
    at = open_page("pages/2_Cohort.py")
    uploader = next(u for u in at.file_uploader if u.label == "Table and images: ZIP")
    uploader.set_value(("cohort.zip", buffer.getvalue(), "application/zip")).run()
    at.session_state["scoring_job"].wait(120)
    at.run()
    assert not at.exception
    assert "8 of 8 patients of the uploaded cohort" in words(at)
    assert "1 rows were refused" in words(at)


def test_a_file_that_is_no_package_gets_a_sentence(open_page):
    at = open_page("pages/2_Cohort.py")
    uploader = next(u for u in at.file_uploader if u.label == "Table and images: ZIP")
    uploader.set_value(("cohort.zip", b"no archive", "application/zip")).run()
    assert [error.value for error in at.error] == ["The zip archive is damaged. Pack it again."]

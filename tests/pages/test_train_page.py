"""The page Train in process: who may see it, what its check says, and what becomes of a training that fails."""

import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from core import settings
from core.errors import BusyError
from core.training.bundle.reporting import write_form
from core.training.run import process, workplace
from core.training.run.record import STEPS, Progress, RunFolder
from core.ui.login import User
from tests.pages.cohorts import words
from tests.pages.training_packages import pack, write_table

PAGE = "pages/13_Train.py"
WAIT = "import sys, time; time.sleep(600)"
FAIL = """
import sys
from core.training.run.record import RunFolder
RunFolder(__import__("pathlib").Path(sys.argv[1])).write_failure("12 images can't be read.", [(3, "No image.")])
"""


@pytest.fixture
def home(monkeypatch, tmp_path) -> Iterator[Path]:
    """A folder of trainings for one test."""
    monkeypatch.setenv("SONOKI_TRAINING_FOLDER", str(tmp_path / "trainings"))
    settings.forget_settings()
    yield tmp_path / "trainings"
    if (running := process.find_running()) is not None:
        process.stop(running)
    monkeypatch.undo()
    settings.forget_settings()


@pytest.fixture(scope="module")
def cohort(tmp_path_factory) -> tuple[pd.DataFrame, Path]:
    folder = tmp_path_factory.mktemp("patients")
    return write_table(folder, 12), folder


@pytest.fixture
def large(cohort) -> bytes:
    """A package with enough patients, who share a few frames."""
    table, folder = cohort
    many = pd.concat([table] * 10, ignore_index=True)
    many["patient_id"] = [f"P-{i:03d}" for i in range(len(many))]
    return pack(many.drop_duplicates("patient_id"), folder)


def give(at: AppTest, package: bytes) -> AppTest:
    return at.file_uploader[0].set_value(("patients.zip", package, "application/zip")).run()


def press(at: AppTest, label: str) -> AppTest:
    next(button for button in at.button if button.label == label).click()
    return at.run()


def wait_for_end() -> None:
    deadline = time.monotonic() + 60
    while process.find_running():
        assert time.monotonic() < deadline, "the training did not end"
        time.sleep(0.05)


def use(monkeypatch, code: str) -> None:
    monkeypatch.setattr(process, "COMMAND", (sys.executable, "-c", code))


def test_it_is_off_where_the_setting_says_so(open_page, home, monkeypatch):
    monkeypatch.setattr("core.ui.train.availability.get_text_setting", {"training": "off"}.__getitem__)
    at = open_page(PAGE)
    assert "Training is off" in words(at)
    assert not at.file_uploader


def test_it_is_off_with_login_unless_it_is_turned_on(open_page, home, monkeypatch):
    monkeypatch.setattr("core.ui.page.require_role", lambda least: User("Dr Kim", "sub-1", least))
    monkeypatch.setattr("core.ui.train.availability.is_login_configured", lambda: True)
    assert "Training is off" in words(open_page(PAGE))
    monkeypatch.setattr("core.ui.train.availability.get_text_setting", {"training": "on"}.__getitem__)
    assert open_page(PAGE).file_uploader


def test_it_asks_for_the_role_of_an_admin(open_page, home, monkeypatch):
    asked = []
    monkeypatch.setattr("core.ui.page.require_role", lambda least: asked.append(least) or User("", "", "admin"))
    open_page(PAGE)
    assert asked[-1] == "admin"


def test_what_this_install_lacks_is_named(open_page, home, monkeypatch):
    monkeypatch.setattr("core.ui.train.availability.list_missing", lambda: ["torch", "scikit-learn"])
    at = open_page(PAGE)
    assert "lacks what training needs (torch, scikit-learn)" in words(at)
    assert not at.file_uploader


def test_without_patients_it_asks_for_a_package(open_page, home):
    at = open_page(PAGE)
    assert not at.exception
    assert "There is nothing to train on yet: upload a package." in words(at)


def test_a_file_that_is_no_package_gets_a_sentence_and_leaves_nothing(open_page, home):
    at = give(open_page(PAGE), b"no archive")
    assert [e.value for e in at.error] == ["The file is not a zip archive: pack the table and its images into one."]
    assert list((home / "packages").iterdir()) == []


def test_the_check_names_refused_rows_and_too_few_patients(open_page, home, cohort):
    table, folder = cohort
    outside = str(folder / table["image"][1])  # a file of the server that is no file of the package
    names = [table["image"][0], outside, *table["image"][2:-1], "gone.png"]
    broken = table.assign(ki67_pct=["soon", *table["ki67_pct"][1:]], image=names)
    at = give(open_page(PAGE), pack(broken, folder))
    assert not at.exception
    assert "12 rows: 9 images of 9 patients used; rows refused: 3." in words(at)
    assert "training patients are too few; at least 100 are needed." in words(at)
    assert list(at.dataframe[0].value["Row"]) == [2, 3, 13]
    assert next(button for button in at.button if button.label == "Train").disabled


def test_a_table_without_a_needed_column_can_be_told_which_it_is(open_page, home, cohort):
    table, folder = cohort
    at = give(open_page(PAGE), pack(table.rename(columns={"centre": "Wo"}), folder))
    assert "The manifest has no column centre" in at.error[0].value
    at.selectbox(key="columns_column").set_value("Wo").run()
    at.selectbox(key="columns_field").set_value("centre").run()
    press(at, "Read the table this way")
    assert not at.error
    assert "12 rows: 12 images of 12 patients used" in words(at)


def test_the_studys_answers_to_the_checklists_go_into_the_training(open_page, home, large, monkeypatch):
    use(monkeypatch, WAIT)
    at = give(open_page(PAGE), large)
    hand_in(at, write_form())
    assert "The form holds no answer yet" in at.error[0].value
    hand_in(at, '{"TRIPOD+AI 99": "x"}')
    assert "'TRIPOD+AI 99' is not an item of the checklists." in at.error[0].value
    hand_in(at, '{"TRIPOD+AI 5b": "Two wards.", "CLAIM 2024 1": ""}')
    assert "1 answer will stand in the bundle." in words(at)
    press(at, "Train")
    assert process.find_running().read_order().plan.reporting == {"TRIPOD+AI 5b": "Two wards."}


def hand_in(at: AppTest, form: str) -> AppTest:
    uploader = next(one for one in at.file_uploader if one.label == "Filled-in form: JSON")
    return uploader.set_value(("checklists.json", form.encode(), "application/json")).run()


def test_one_training_runs_at_a_time_and_another_session_sees_and_stops_it(open_page, home, large, monkeypatch):
    use(monkeypatch, WAIT)
    at = press(give(open_page(PAGE), large), "Train")
    assert not at.exception
    assert "A training runs" in [header.value for header in at.header]
    running = process.find_running()
    with pytest.raises(BusyError, match="A training runs already"):
        process.start(running)
    running.write_progress(Progress("views", 30, 400, 61.7))
    other = open_page(PAGE)
    assert "It goes on when this page is closed" in words(other)
    press(other, "Stop the training")
    assert process.find_running() is None
    assert "The training was stopped. What is done is kept." in words(open_page(PAGE))


def test_a_failure_is_a_sentence_with_its_rows_and_the_training_can_go_on_or_go(open_page, home, large, monkeypatch):
    use(monkeypatch, FAIL)
    at = press(give(open_page(PAGE), large), "Train")
    wait_for_end()
    at.run()
    assert [e.value for e in at.error] == ["12 images can't be read."]
    assert any(list(frame.value["Row"]) == [3] for frame in at.dataframe if "Reason" in frame.value)
    press(at, "Remove this training and its bundle")
    assert list((home / "runs").iterdir()) == []


def test_a_process_that_was_killed_is_a_sentence(open_page, home, large, monkeypatch):
    use(monkeypatch, "import os; os.kill(os.getpid(), 9)")
    at = press(give(open_page(PAGE), large), "Train")
    wait_for_end()
    at.run()
    assert "its process was killed" in at.error[0].value
    assert any(button.label == "Go on" for button in at.button)


def test_what_another_admins_training_needs_is_not_removed(open_page, home, large, monkeypatch):
    """A page that was drawn before the other's training began still has its buttons."""
    use(monkeypatch, FAIL)
    at = press(give(open_page(PAGE), large), "Train")
    wait_for_end()
    at.run()
    (run,) = workplace.list_runs()
    use(monkeypatch, WAIT)
    process.start(run)
    for label in ("Remove this training and its bundle", "Remove this package"):
        next(button for button in at.button if button.label == label).click()
    at.run()
    assert "A training of yours or of another admin runs on it" in at.error[0].value
    monkeypatch.setattr(workplace, "DAY_SECONDS", -1)
    process.sweep_unused()
    assert [one.path for one in workplace.list_runs()] == [run.path]
    assert len(workplace.list_sources()) == 1


def test_old_packages_and_trainings_are_removed(home, large, monkeypatch):
    workplace.keep_package(large)
    workplace.sweep()
    assert len(workplace.list_sources()) == 1
    monkeypatch.setattr(workplace, "DAY_SECONDS", -1)
    workplace.sweep()
    assert workplace.list_sources() == []


def test_a_full_disk_is_a_sentence(open_page, home, large, monkeypatch):
    def fill(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(workplace, "unpack_package", fill)
    at = give(open_page(PAGE), large)
    assert "can't write to its folder of trainings (No space left on device)" in at.error[0].value
    assert list((home / "packages").iterdir()) == []


def test_tables_of_the_servers_folder_are_offered(open_page, home, tmp_path, monkeypatch):
    folder = tmp_path / "server" / "patients"
    folder.mkdir(parents=True)
    write_table(folder, 12).to_csv(folder / "cohort.csv", index=False)
    monkeypatch.setenv("SONOKI_COHORTS", str(folder.parent))
    settings.forget_settings()
    at = open_page(PAGE)
    assert f"{folder.name}/cohort.csv" in at.selectbox(key="train_source").options
    assert "12 rows: 12 images of 12 patients used" in words(at)


def test_every_step_of_a_training_has_words():
    assert list(STEPS) == ["images", "views", "refits", "figures", "comparison"]
    assert RunFolder(Path("none")).read_progress() is None

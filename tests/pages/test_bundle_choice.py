"""The Model page: which bundle answers, put into use and taken back by an admin, seen by all sessions."""

import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from threading import Event

import pytest
import streamlit as st

from core import settings
from core.inference.trust import load_bundle
from core.register.bundles.folder import find_bundle, read_bundles
from core.register.bundles.use import read_use
from core.register.database import find_database
from core.register.store import Store
from core.training.update.update import UpdatePlan, update_bundle
from core.ui.login import User
from models.bundle import Bundle
from tests.core.training.update.test_update import fill_register
from tests.pages.cohorts import words
from tests.pages.test_register_page import press

MODEL, CASE = "pages/8_Model.py", "pages/1_Case.py"


@dataclass(frozen=True)
class Site:
    """A register, the bundle of the setting, and its update in the folder to choose from."""

    store: Store
    old: Bundle
    new: Bundle


@pytest.fixture
def site(monkeypatch, tmp_path, bundle_dir: Path) -> Iterator[Site]:
    for name in ("data", "config"):
        monkeypatch.setenv(f"XDG_{name.upper()}_HOME", str(tmp_path / name))
    monkeypatch.setenv("SONOKI_BUNDLES", str(tmp_path / "bundles"))
    monkeypatch.setattr("core.ui.model.use.SECONDS", 0.0)
    settings.forget_settings()
    store, old = Store(find_database()), load_bundle(bundle_dir)
    fill_register(store, old, shift=0.9)
    (tmp_path / "bundles").mkdir()
    update_bundle(store, bundle_dir, tmp_path / "bundles" / "ours", UpdatePlan("AB", "Higher share.", "ours"))
    yield Site(store, old, load_bundle(tmp_path / "bundles" / "ours"))
    store.close()
    monkeypatch.undo()
    settings.forget_settings()


def choose(at, site: Site):
    give_initials_here(at)
    next(box for box in at.selectbox if box.label == "Bundle").set_value(site.new.sha256)
    return at.run()


def give_initials_here(at):
    next(box for box in at.text_input if box.label == "Your initials").set_value("AB")
    return at.run()


def decide(at, label: str):
    next(area for area in at.text_area if f"_{label}_" in area.key).set_value("It fits our patients.")
    return press(at.run(), label)


def test_without_the_setting_nothing_can_be_chosen(open_page):
    at = open_page(MODEL)
    assert any("SONOKI_BUNDLES" in caption.value for caption in at.caption)
    assert not [button for button in at.button if button.label in {"Put into use", "Take back"}]


def test_an_admin_sees_both_side_by_side_puts_it_into_use_and_takes_it_back(open_page, site):
    at = choose(open_page(MODEL), site)
    assert "300 real patients that the update was fitted on" in words(at)
    figures = next(table.value for table in at.table if "Answers now" in table.value)
    assert figures["Figure"].tolist()[0] == "AUC"
    button = next(button for button in at.button if button.label == "Put into use")
    assert button.disabled
    at = decide(at, "Put into use")
    assert "is in use** on every page: entry" in words(at)
    assert f"Bundle **{site.new.name}**" in words(at)
    assert read_use(site.store).current.sha256 == site.new.sha256
    st.cache_resource.clear()  # as after a restart
    at = open_page(MODEL)
    assert f"Bundle **{site.new.name}**" in words(at)
    at = decide(give_initials_here(at), "Take back")
    assert "was taken back**: entry" in words(at)
    assert f"Bundle **{site.old.name}**" in words(at)
    kinds = [record.kind for record in read_use(site.store).records]
    assert kinds == ["put into use", "taken back"]
    assert site.store.verify_chain().holds


def ask_update(at, name: str):
    at.text_input(key="update_name").set_value(name)
    at.text_area(key="update_note").set_value("A new device.")
    return press(at.run(), "Write the update")


def wait_for_update(at):
    """Draw the page anew until no update runs."""
    for _ in range(600):
        if not any(button.label == "Stop the update" for button in at.button):
            return at
        time.sleep(0.1)
        at.run()
    raise AssertionError("the update does not end")


def test_an_admin_writes_an_update_that_can_then_be_put_into_use(open_page, site, tmp_path):
    at = open_page(MODEL)
    assert next(button for button in at.button if button.label == "Write the update").disabled
    at = wait_for_update(ask_update(give_initials_here(at), "ours-2"))
    assert "**ours-2 was written**: recalibrated in the large (new intercept), 300 patients" in words(at)
    assert load_bundle(tmp_path / "bundles" / "ours-2").manifest.parents == ((site.old.name, site.old.sha256),)
    choice = next(box for box in at.selectbox if box.label == "Bundle")
    assert any(option.startswith("ours-2 (") for option in choice.options)
    at = wait_for_update(ask_update(at, "ours-2"))
    assert "holds a bundle already" in at.error[0].value
    at = press(at, "Close this message")
    assert not at.error
    at = at.text_input(key="update_name").set_value("../ours-3").run()
    assert next(button for button in at.button if button.label == "Write the update").disabled


def test_an_update_goes_on_beside_other_pages_one_at_a_time_until_it_is_stopped(open_page, site, tmp_path, monkeypatch):
    begun, go_on = Event(), Event()

    def update(*_, progress):
        progress(120, 501)
        begun.set()
        go_on.wait(60)
        progress(121, 501)

    monkeypatch.setattr("core.training.update.job.update_bundle", update)
    at = ask_update(give_initials_here(open_page(MODEL)), "ours-2")
    assert begun.wait(60)
    at.run()
    told = [*at.get("progress")]
    assert "120 of 501 draws" in told[0].proto.text
    other = ask_update(give_initials_here(open_page(MODEL)), "ours-3")
    assert any("one at a time" in error.value for error in other.error)
    press(at, "Stop the update")
    go_on.set()
    at = wait_for_update(at.run())
    assert "The update ours-2 was stopped: nothing was written." in words(at)
    assert not (tmp_path / "bundles" / "ours-2").exists()


@pytest.mark.parametrize("role", ["viewer", "clinician"])
def test_others_see_which_bundle_answers_and_can_choose_none(open_page, site, monkeypatch, role):
    monkeypatch.setattr("core.ui.page.require_role", lambda least: User("Dr Kim", "sub-1", role))
    at = open_page(MODEL)
    assert "Which bundle answers" in [header.value for header in at.header]
    assert not [box for box in at.selectbox if box.label == "Bundle"]
    assert not [button for button in at.button if button.label == "Write the update"]


def test_a_running_case_is_told_and_keeps_what_it_shows(open_page, site):
    at = open_page(CASE)
    press(press(at, "Try this patient"), "Estimate")
    at.run()
    shown = words(at)
    assert "has been put into use" not in shown
    admin = choose(open_page(MODEL), site)
    decide(admin, "Put into use")
    at.run()
    told = "\n".join([words(at), *(box.value for box in (*at.warning, *at.info, *at.error))])
    assert f"Another bundle, **{site.new.name}**, has been put into use: press **Estimate** again" in told
    assert f"The estimate shown is of the bundle {site.old.name}" in told
    press(at, "Estimate")
    at.run()
    assert "has been put into use: press" not in words(at)
    assert at.session_state["case"].answer.prediction.bundle_sha256 == site.new.sha256


def test_a_bundle_that_was_changed_is_left_out_of_the_choice_and_does_not_answer(open_page, site):
    at = choose(open_page(MODEL), site)
    at = decide(at, "Put into use")
    heads = site.new.folder / "heads.json"
    heads.write_text(heads.read_text() + " ", encoding="utf-8")
    import streamlit as st

    st.cache_resource.clear()
    at = open_page(MODEL)
    assert any("was changed after training" in error.value for error in at.error)
    assert any("Left out: ours" in caption.value for caption in at.caption)
    assert [expander.label for expander in at.expander if expander.label == "Take it back"]


def test_a_bundle_that_is_gone_says_so_and_can_be_taken_back(open_page, site):
    decide(choose(open_page(MODEL), site), "Put into use")
    shutil.rmtree(site.new.folder)
    at = open_page(MODEL)
    assert any("was put into use and is not in the folder of SONOKI_BUNDLES" in error.value for error in at.error)
    at = decide(give_initials_here(at), "Take back")
    assert f"Bundle **{site.old.name}**" in words(at)


def test_a_changed_copy_hides_no_bundle(site, bundle_dir):
    for name in ("a-copy", "z-copy"):
        copy = site.new.folder.parent / name
        shutil.copytree(site.new.folder, copy)
        (copy / "heads.json").write_text("{}", encoding="utf-8")
    bundles, faults = read_bundles(site.new.folder.parent)
    assert [one.folder for one in bundles] == [site.new.folder]
    assert len(faults) == 2
    assert find_bundle(site.new.sha256, "ours", bundle_dir) == site.new.folder


def test_the_list_of_trusted_bundles_holds_here_too(open_page, site, monkeypatch):
    monkeypatch.setenv("SONOKI_TRUSTED_BUNDLES", site.old.sha256)
    settings.forget_settings()
    at = open_page(MODEL)
    assert any("SONOKI_TRUSTED_BUNDLES names" in caption.value for caption in at.caption)
    assert not [box for box in at.selectbox if box.label == "Bundle"]

"""Settings: defaults, environment, and what is refused."""

import pytest

from core.errors import UsageError
from core.settings import SETTINGS, get_setting, get_text_setting, read_settings


def test_defaults_stand_where_the_environment_says_nothing():
    assert read_settings({}) == {setting.name: setting.default for setting in SETTINGS}


def test_a_variable_changes_its_setting_only():
    values = read_settings({"SONOKI_MAX_FRAMES": "30", "MAX_FRAMES": "7"})
    assert values["max_frames"] == 30
    assert values["max_bytes"] == read_settings({})["max_bytes"]


@pytest.mark.parametrize("text", ["", "-1", "0", "many", "1.5"])
def test_anything_but_a_positive_whole_number_is_refused(text):
    with pytest.raises(UsageError, match="SONOKI_DECODE_SECONDS must be a positive whole number"):
        read_settings({"SONOKI_DECODE_SECONDS": text})


def test_a_text_setting_is_kept_as_it_is_and_may_not_be_empty():
    assert read_settings({"SONOKI_BUNDLE": " /srv/our_bundle "})["bundle"] == "/srv/our_bundle"
    assert get_text_setting("bundle")
    with pytest.raises(UsageError, match="SONOKI_BUNDLE must not be empty"):
        read_settings({"SONOKI_BUNDLE": " "})


def test_a_text_setting_without_a_default_may_be_empty():
    assert read_settings({"SONOKI_PACS_URL": " "})["pacs_url"] == ""
    assert read_settings({"SONOKI_PACS_URL": "https://pacs.example/dicom-web"})["pacs_url"].endswith("dicom-web")


def test_an_unknown_setting_is_a_fault():
    with pytest.raises(KeyError):
        get_setting("no_such_setting")


def test_every_setting_is_documented_once():
    names = [setting.name for setting in SETTINGS]
    assert len(set(names)) == len(names)
    assert all(len(setting.help) > 10 for setting in SETTINGS)

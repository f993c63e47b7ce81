"""The server's settings keep their promises, and agree with the figures and the limits."""

import tomllib
from pathlib import Path

import pytest

from core.figures.theme import BACKGROUND, COLOURS, TEXT
from core.settings import read_settings

CONFIG = Path(__file__).parents[3] / ".streamlit" / "config.toml"


@pytest.fixture(scope="module")
def config() -> dict:
    return tomllib.loads(CONFIG.read_text(encoding="utf-8"))


def test_the_server_listens_on_the_loopback_and_tells_nobody(config):
    assert config["server"]["address"] == "127.0.0.1"
    assert config["browser"]["gatherUsageStats"] is False
    assert config["client"]["showErrorDetails"] == "none"
    assert config["server"]["fileWatcherType"] == "none"


def test_the_upload_limit_is_that_of_the_intake(config):
    assert config["server"]["maxUploadSize"] * 1_000_000 == read_settings({})["max_bytes"]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_pages_and_figures_share_their_colours(config, theme):
    assert tuple(config["theme"]["chartCategoricalColors"]) == COLOURS
    assert config["theme"][theme]["backgroundColor"] == BACKGROUND[theme]
    assert config["theme"][theme]["textColor"] == TEXT[theme]


def test_no_run_of_a_page_ends_in_a_full_collection(config):
    assert config["runner"]["postScriptGC"] is False

"""The server takes what the intake takes, and has decoders before the first image comes."""

import pytest
from streamlit import config

from core import settings
from core.ui.gate.intake import UPLOAD_OPTION, count_mebibytes, prepare_intake


@pytest.fixture
def limit(monkeypatch):
    """A limit of 7 000 000 bytes; the server's option is put back."""
    before = config.get_option(UPLOAD_OPTION)
    monkeypatch.setenv("SONOKI_MAX_BYTES", "7000000")
    settings.forget_settings()
    yield
    monkeypatch.undo()
    settings.forget_settings()
    config.set_option(UPLOAD_OPTION, before)


def test_the_upload_limit_follows_the_setting_and_decoders_are_started(limit, monkeypatch):
    started = []
    monkeypatch.setattr("core.ui.gate.intake.get_pool", lambda: started.append("decoders"))
    prepare_intake()
    assert config.get_option(UPLOAD_OPTION) == 7
    assert started == ["decoders"]


@pytest.mark.parametrize(("n_bytes", "mebibytes"), [(1, 1), (2**20, 1), (2**20 + 1, 2), (300_000_000, 287)])
def test_a_limit_is_rounded_up(n_bytes, mebibytes):
    assert count_mebibytes(n_bytes) == mebibytes

"""No request stands in the log, even after Streamlit has read its options anew."""

import logging

import pytest
from streamlit.logger import init_uvicorn_logs

from core.ui.gate.start import REQUEST_LOGS, keep_requests_out_of_log


@pytest.mark.parametrize("name", REQUEST_LOGS)
def test_requests_are_not_logged(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    keep_requests_out_of_log()
    init_uvicorn_logs()
    logging.getLogger(name).info('GET /?token=%s HTTP/1.1" 303', "secret")
    logging.getLogger(name).warning("a warning")
    told = capsys.readouterr()
    assert "secret" not in told.out + told.err
    assert "a warning" in told.err

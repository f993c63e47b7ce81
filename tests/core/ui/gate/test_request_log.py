"""No request stands in the log, even after Streamlit has read its options anew."""

import logging

import pytest
from streamlit.logger import init_uvicorn_logs

from core.ui.gate.start import REQUEST_LOGS, keep_requests_out_of_log


class Told(logging.Handler):
    """Keeps what is said."""

    def __init__(self) -> None:
        super().__init__()
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.messages.append(record.getMessage())


@pytest.mark.parametrize("name", REQUEST_LOGS)
def test_requests_are_not_logged(name: str) -> None:
    keep_requests_out_of_log()
    init_uvicorn_logs()
    told = Told()
    logging.getLogger(name).addHandler(told)
    logging.getLogger(name).info('GET /?token=%s HTTP/1.1" 303', "secret")
    logging.getLogger(name).warning("a warning")
    logging.getLogger(name).removeHandler(told)
    assert told.messages == ["a warning"]

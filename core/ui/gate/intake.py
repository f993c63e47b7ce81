"""What the server does for image files before one comes: warm decoders, and an upload limit that fits the setting."""

from streamlit import config

from core.imaging.decoding.pool import get_pool
from core.settings import get_setting

UPLOAD_OPTION = "server.maxUploadSize"
MEBIBYTE = 2**20


def prepare_intake() -> None:
    """Start the decoder processes and let the server take uploads up to the setting "max_bytes"."""
    most = count_mebibytes(get_setting("max_bytes"))
    if config.get_option(UPLOAD_OPTION) != most:
        config.set_option(UPLOAD_OPTION, most)
    get_pool()


def count_mebibytes(n_bytes: int) -> int:
    """Give the least whole number of MiB, the unit of Streamlit's limit, that holds so many bytes."""
    return -(-n_bytes // MEBIBYTE)

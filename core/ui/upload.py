"""A file taken out of its uploader, which would keep it with its name."""

from typing import TYPE_CHECKING, cast

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

if TYPE_CHECKING:
    from streamlit.runtime.memory_uploaded_file_manager import MemoryUploadedFileManager


def take_uploads(key: str) -> list[bytes]:
    """Take the files out of an uploader of several; see `take_upload`."""
    uploads, context = st.session_state.get(key), get_script_run_ctx()
    if not uploads or context is None:
        return []
    contents = [upload.getvalue() for upload in uploads]
    manager = cast("MemoryUploadedFileManager", context.uploaded_file_mgr)
    for upload in uploads:
        manager.remove_file(context.session_id, upload.file_id)
    del st.session_state[key]
    return contents


def take_upload(key: str) -> bytes | None:
    """Take the file out of an uploader; neither the server nor the session keeps it or its name."""
    upload, context = st.session_state.get(key), get_script_run_ctx()
    if upload is None or context is None:
        return None
    content: bytes = upload.getvalue()
    manager = cast("MemoryUploadedFileManager", context.uploaded_file_mgr)
    manager.remove_file(context.session_id, upload.file_id)
    del st.session_state[key]  # Streamlit keeps the value of a widget that is gone: here the file and its name
    return content

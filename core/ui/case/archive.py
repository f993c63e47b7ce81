"""The archive on the Case page: an image from a study, and the results back into it."""

import io
import zipfile
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import streamlit as st

from core.archive import has_archive
from core.ui.case.session import note_saved
from core.ui.errors import guard, guard_file
from core.ui.image_source import Source

if TYPE_CHECKING:
    from core.archive.dicom_objects.export import CaseResults

ZIP_TIME = (1980, 1, 1, 0, 0, 0)


def ask_archive() -> None:
    """Draw the way from the archive to an image, where an archive is set."""
    if not has_archive():
        return
    from core.ui.archive.study import ask_study  # noqa: PLC0415 - brings pydicom

    with st.expander("From the archive"):
        ask_study()


def offer_results(collect: Callable[..., "CaseResults"], sources: Sequence[Source]) -> None:
    """Draw the ways on which a case's results leave as DICOM.

    Results of an image from the archive belong to its study, all others to a new one with a pseudonym.
    """
    is_archived = sources[0].is_archived

    def export() -> dict[str, bytes]:
        from core.archive.dicom_objects.export import export_case  # noqa: PLC0415 - brings highdicom

        files = [source.file.read() for source in sources] if is_archived else []
        return export_case(collect(), files, pseudonym=sources[0].patient_id)

    st.download_button(
        "DICOM, names the patient (zip)" if is_archived else "DICOM with a pseudonym (zip)",
        guard_file(lambda: pack_zip(export())),
        file_name="sonoki_dicom.zip",
        mime="application/zip",
        on_click=guard(note_saved),
        help="Secondary Capture of the heat map, Structured Report, for an image from the archive box and outline "
        "as a presentation state, and the document as encapsulated PDF.",
    )
    if has_archive():
        from core.ui.archive.study import offer_sending  # noqa: PLC0415 - brings pydicom

        offer_sending(export, is_archived=is_archived)


def pack_zip(files: dict[str, bytes]) -> bytes:
    """Pack files; same files, same bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name, ZIP_TIME), data, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()

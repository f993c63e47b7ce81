"""Results for the archive (PACS): DICOM objects, DICOMweb, and an outbox until they have arrived."""

from core.settings import get_text_setting


def has_archive() -> bool:
    """Tell whether an archive is set."""
    return bool(get_text_setting("pacs_url"))

"""Reading a bundle for use: whole, unchanged, and, where the site keeps a list, on that list."""

from pathlib import Path

from core.errors import ModelError
from core.settings import get_text_setting
from models.bundle import Bundle, read_bundle
from models.sealed import BundleError


def load_bundle(folder: Path) -> Bundle:
    """Read and verify a bundle; the setting "trusted_bundles" may name those that may answer."""
    try:
        bundle = read_bundle(folder)
    except BundleError as error:
        raise ModelError(str(error)) from error
    trusted = get_text_setting("trusted_bundles").replace(",", " ").lower().split()
    if trusted and bundle.sha256 not in trusted:
        raise ModelError(
            f"The bundle {bundle.sha256[:16]} is not one of the {len(trusted)} that SONOKI_TRUSTED_BUNDLES names: "
            "take one of these, or let whoever runs SonoKi add its whole hash."
        )
    return bundle

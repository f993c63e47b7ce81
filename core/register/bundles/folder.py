"""The bundles that whoever runs the server lets an admin choose from: the folders in that of the setting "bundles"."""

from pathlib import Path

from core.errors import ModelError
from core.inference.trust import load_bundle
from core.settings import get_text_setting
from models.bundle import MANIFEST, Bundle
from models.sealed import hash_file


def find_bundles_folder() -> Path | None:
    """Give the folder of the setting "bundles"; None where it is empty, and nothing can be chosen."""
    name = get_text_setting("bundles")
    return Path(name).expanduser() if name else None


def list_bundles(folder: Path) -> list[tuple[str, Path]]:
    """List hash of the manifest and folder of each bundle; they are verified when one is read."""
    if not folder.is_dir():
        raise ModelError("The folder of the setting SONOKI_BUNDLES is not there: make it, or set another.")
    found = sorted(path for path in folder.iterdir() if (path / MANIFEST).is_file() and not path.name.startswith("."))
    return [(hash_file(path / MANIFEST), path) for path in found]


def find_bundle(sha256: str, name: str, own: Path) -> Path:
    """Find the folder of a bundle by its hash: that of the setting "bundle", or one of those to choose from."""
    folder = find_bundles_folder()
    known = [] if folder is None else [path for found, path in list_bundles(folder) if found == sha256]
    if (own / MANIFEST).is_file() and hash_file(own / MANIFEST) == sha256:
        return own
    if not known:
        raise ModelError(
            f"The bundle '{name}' ({sha256[:12]}) was put into use and is not in the folder of SONOKI_BUNDLES: put it "
            "back there, or take it back on the Model page."
        )
    return known[0] if len(known) == 1 else next(filter(_holds, known), known[0])


def _holds(path: Path) -> bool:
    """Whether a bundle can be read: a copy of it may have been changed."""
    try:
        load_bundle(path)
    except ModelError:
        return False
    return True


def read_bundles(folder: Path) -> tuple[list[Bundle], list[str]]:
    """Read and verify every bundle of a folder; give those that hold, and a sentence on each other one."""
    bundles, faults = [], []
    for _, path in list_bundles(folder):
        try:
            bundles.append(load_bundle(path))
        except ModelError as error:
            faults.append(f"{path.name}: {error}")
    return bundles, faults

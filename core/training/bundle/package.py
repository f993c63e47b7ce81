"""A bundle as one file to share: its files and its backbone in a ZIP archive, signed where the sender wants it."""

import errno
import shutil
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory, gettempdir

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

from core.errors import ModelError, UsageError, WorkError, name_cause
from core.training.bundle.folder import check_target, put_in_place
from core.zip_reading import ZIP_DAMAGE
from models.bundle import MANIFEST, OWN_BACKBONE, SIGNATURE, WEIGHTS, Bundle, read_bundle
from models.sealed import BundleError

MOST_BYTES = 2 * 1024**3
EPOCH = (1980, 1, 1, 0, 0, 0)
NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS}


def pack_bundle(folder: Path, out: Path, *, key: Path | None = None) -> Bundle:
    """Write a bundle with its backbone into one file; the same bundle gives the same bytes."""
    bundle = _read(folder)
    signature = None if key is None else _read_private_key(key).sign(bytes.fromhex(bundle.sha256))
    partial = out.with_name(out.name + ".part")
    with _explain_disk(f"beside {out.name}"):
        out.resolve().parent.mkdir(parents=True, exist_ok=True)
        try:
            with zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED) as archive:
                for name in sorted({MANIFEST, *bundle.manifest.files}):
                    _add(archive, name, (folder / name).read_bytes())
                _add(archive, f"{OWN_BACKBONE}/{WEIGHTS}", bundle.weights_path.read_bytes())
                if signature is not None:
                    _add(archive, SIGNATURE, signature)
            partial.replace(out)
        finally:
            if partial.is_file():
                partial.unlink()
    return bundle


def unpack_bundle(package: Path, out: Path, *, signer: Path | None = None, replace: bool = False) -> Bundle:
    """Verify a packed bundle and put it into a folder."""
    check_target(out, replace=replace)
    with _explain_disk(f"beside {out.name}"):
        out.resolve().parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=out.resolve().parent, prefix=f".{out.resolve().name}.") as scratch:
            folder = Path(scratch) / "bundle"
            _extract(package, folder)
            _verify_signature(_read(folder), folder, signer)
            put_in_place(folder, out.resolve())
    return _read(out)


def verify_bundle(source: Path, *, signer: Path | None = None) -> tuple[Bundle, bool]:
    """Verify a bundle's folder or package."""
    with _explain_disk(f"in {gettempdir()}"), TemporaryDirectory() as scratch:
        folder = source
        if not source.is_dir():
            folder = Path(scratch) / "bundle"
            _extract(source, folder)
        bundle = _read(folder)
        _verify_signature(bundle, folder, signer)
        return bundle, (folder / SIGNATURE).exists()


@contextmanager
def _explain_disk(place: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise WorkError(
            f"A file can't be read or written ({name_cause(error)}): make room {place}, or check who may "
            "write there; what lay there is whole."
        ) from None


def _read(folder: Path) -> Bundle:
    try:
        return read_bundle(folder)
    except BundleError as error:
        raise ModelError(str(error)) from error


def _add(archive: zipfile.ZipFile, name: str, data: bytes) -> None:
    info = zipfile.ZipInfo(name, EPOCH)
    info.compress_type, info.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
    archive.writestr(info, data)


def _extract(package: Path, folder: Path) -> None:
    try:
        with zipfile.ZipFile(package) as archive:
            entries = [entry for entry in archive.infolist() if not entry.is_dir()]
            if sum(entry.file_size for entry in entries) > MOST_BYTES:
                raise ModelError(f"The package unpacks to more than {MOST_BYTES // 1024**3} GB: it is not a bundle.")
            if all(entry.filename != MANIFEST for entry in entries):
                raise ModelError(
                    f"{package.name} is no packed bundle: {MANIFEST} is not at its top. `python -m core bundle pack` "
                    "writes one."
                )
            for entry in entries:
                path = PurePosixPath(entry.filename)
                if path.is_absolute() or ".." in path.parts or "\\" in entry.filename:
                    raise ModelError("The package names a file outside its folder: fetch it again.")
                target = folder / path
                target.parent.mkdir(parents=True, exist_ok=True)
                with archive.open(entry) as source, target.open("wb") as file:
                    shutil.copyfileobj(source, file)
    except FileNotFoundError:
        raise ModelError(f"{package.name} is not there: give a bundle's folder or its package.") from None
    except (*ZIP_DAMAGE, OSError) as error:
        if isinstance(error, OSError) and error.errno in NO_ROOM:
            raise
        raise ModelError(f"{package.name} can't be read as a packed bundle: fetch it again.") from None


def _verify_signature(bundle: Bundle, folder: Path, signer: Path | None) -> None:
    if signer is None:
        return
    path = folder / SIGNATURE
    if not path.exists():
        raise ModelError("The bundle is not signed: ask its sender for a signed package.")
    try:
        _read_public_key(signer).verify(path.read_bytes(), bytes.fromhex(bundle.sha256))
    except InvalidSignature:
        raise ModelError("The bundle's signature is not the signer's: do not use it.") from None


def _read_private_key(path: Path) -> Ed25519PrivateKey:
    try:
        key = load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError, TypeError):
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise UsageError(
            f"{path.name} is not an Ed25519 private key without a password (openssl genpkey -algorithm ed25519)."
        )
    return key


def _read_public_key(path: Path) -> Ed25519PublicKey:
    try:
        key = load_pem_public_key(path.read_bytes())
    except (OSError, ValueError):
        key = None
    if not isinstance(key, Ed25519PublicKey):
        raise UsageError(f"{path.name} is not an Ed25519 public key (openssl pkey -in KEY -pubout).")
    return key

"""A bundle in one file: what is packed comes out the same, and what was changed or unsigned is refused."""

import errno
import shutil
import zipfile
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from core.errors import ModelError, UsageError, WorkError
from core.inference import Predictor
from core.training.bundle.package import pack_bundle, unpack_bundle, verify_bundle
from models.bundle import OWN_BACKBONE, WEIGHTS


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder, key = tmp_path_factory.mktemp("keys"), Ed25519PrivateKey.generate()
    private, public = folder / "private.pem", folder / "public.pem"
    private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    public.write_bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    return private, public


@pytest.fixture
def package(bundle_dir: Path, tmp_path: Path, keys: tuple[Path, Path]) -> Path:
    pack_bundle(bundle_dir, tmp_path / "ours.zip", key=keys[0])
    return tmp_path / "ours.zip"


def test_the_same_bundle_gives_the_same_bytes(bundle_dir: Path, package: Path, tmp_path: Path, keys) -> None:
    pack_bundle(bundle_dir, tmp_path / "again.zip", key=keys[0])
    assert (tmp_path / "again.zip").read_bytes() == package.read_bytes()


def test_an_unpacked_bundle_answers_without_another_folder(bundle_dir: Path, package: Path, tmp_path: Path, keys):
    out = tmp_path / "elsewhere" / "ours"
    bundle = unpack_bundle(package, out, signer=keys[1])
    assert bundle.sha256 == verify_bundle(bundle_dir)[0].sha256
    assert bundle.weights_path == out / OWN_BACKBONE / WEIGHTS
    assert Predictor.load(out).bundle.sha256 == bundle.sha256
    assert [p.name for p in out.parent.iterdir()] == ["ours"]


def test_a_bundle_in_the_way_is_replaced_only_on_demand(package: Path, tmp_path: Path) -> None:
    unpack_bundle(package, tmp_path / "ours")
    with pytest.raises(UsageError, match="--replace"):
        unpack_bundle(package, tmp_path / "ours")
    assert unpack_bundle(package, tmp_path / "ours", replace=True).name == "test-bundle"


def rewrite(package: Path, change) -> None:
    """Write the package's entries anew, each as `change` gives it; None leaves it out."""
    with zipfile.ZipFile(package) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(package, "w") as archive:
        for name, data in entries.items():
            new_name, new_data = change(name, data)
            if new_data is not None:
                archive.writestr(new_name, new_data)


@pytest.mark.parametrize(
    "name",
    ["manifest.json", "heads.json", "refits.safetensors", "CARD.md", "evidence/metrics.json", "backbone/backbone.onnx"],
)
def test_one_changed_byte_of_any_file_is_refused(package: Path, tmp_path: Path, name: str) -> None:
    rewrite(package, lambda n, d: (n, d[:-2] + bytes([d[-2] ^ 1]) + d[-1:] if n == name else d))
    with pytest.raises(ModelError):
        unpack_bundle(package, tmp_path / "ours")
    assert not (tmp_path / "ours").exists()


@pytest.mark.parametrize("name", ["../evil", "/tmp/evil", "..\\evil", "evidence/../../evil"])
def test_no_file_leaves_the_folder(package: Path, tmp_path: Path, name: str) -> None:
    with zipfile.ZipFile(package, "a") as archive:
        archive.writestr(name, "x")
    with pytest.raises(ModelError, match="outside its folder"):
        unpack_bundle(package, tmp_path / "deep" / "ours")
    assert not list(tmp_path.rglob("evil"))


def test_a_bundle_of_another_signer_or_none_is_refused(bundle_dir: Path, package: Path, tmp_path: Path, keys) -> None:
    other = tmp_path / "other.pem"
    other.write_bytes(
        Ed25519PrivateKey.generate().public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    )
    assert verify_bundle(package, signer=keys[1])[1]
    with pytest.raises(ModelError, match="not the signer's"):
        verify_bundle(package, signer=other)
    with pytest.raises(ModelError, match="not signed"):
        verify_bundle(bundle_dir, signer=keys[1])
    with pytest.raises(UsageError, match="public key"):
        verify_bundle(package, signer=keys[0])
    with pytest.raises(UsageError, match="private key"):
        pack_bundle(bundle_dir, tmp_path / "x.zip", key=keys[1])


def test_a_full_disk_is_a_sentence_and_leaves_what_lay_there(
    bundle_dir: Path, package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = package.read_bytes()

    def fail(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "full")

    with monkeypatch.context() as patch:
        patch.setattr(zipfile.ZipFile, "writestr", fail)
        with pytest.raises(WorkError, match="No space left on device"):
            pack_bundle(bundle_dir, package)
    monkeypatch.setattr(shutil, "copyfileobj", fail)
    for work in (lambda: unpack_bundle(package, tmp_path / "ours"), lambda: verify_bundle(package)):
        with pytest.raises(WorkError, match="No space left on device"):
            work()
    assert package.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == [package.name]


def test_a_damaged_package_is_a_sentence(package: Path, tmp_path: Path) -> None:
    data = package.read_bytes()
    for place in range(60, len(data), len(data) // 40):
        damaged = bytearray(data)
        damaged[place : place + 8] = b"\xff" * 8
        (tmp_path / "damaged.zip").write_bytes(damaged)
        with pytest.raises(ModelError):
            verify_bundle(tmp_path / "damaged.zip")


def test_what_is_no_package_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "x.zip").write_bytes(b"PK\x03\x04 no archive")
    for name, words in (("x.zip", "can't be read"), ("none.zip", "is not there")):
        with pytest.raises(ModelError, match=words):
            verify_bundle(tmp_path / name)


def test_another_archive_or_one_with_a_folder_around_is_named(package: Path, tmp_path: Path) -> None:
    rewrite(package, lambda name, data: (f"ours/{name}", data))
    with pytest.raises(ModelError, match=r"ours\.zip is no packed bundle: manifest\.json is not at its top"):
        unpack_bundle(package, tmp_path / "ours")


def test_a_missing_backbone_says_where_it_was_looked_for(bundle_dir: Path, tmp_path: Path) -> None:
    shutil.copytree(bundle_dir, tmp_path / "alone" / "b")
    with pytest.raises(ModelError, match=r"neither in '\.\./backbone' beside it nor in its folder 'backbone'"):
        verify_bundle(tmp_path / "alone" / "b")

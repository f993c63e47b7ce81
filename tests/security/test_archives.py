"""Each reader of zip archives says of each damage in a sentence that it is one, and reads no index without end."""

import time
from contextlib import suppress
from pathlib import Path

import pytest

from core.cohort.collecting.files import list_files
from core.cohort.scoring.package import unpack_package
from core.errors import ImageError, InputError, ModelError, TableError
from core.imaging import read_frame
from core.training.bundle.package import unpack_bundle
from core.training.run.workplace import keep_package
from tests.security.archives import DAMAGED, write_long_index


@pytest.mark.parametrize("name", DAMAGED)
def test_a_damaged_package_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(TableError, match=r"damaged"):
        unpack_package(DAMAGED[name], tmp_path)


@pytest.mark.parametrize("name", DAMAGED)
def test_a_damaged_bundle_is_refused(name: str, tmp_path: Path) -> None:
    (tmp_path / "bundle.zip").write_bytes(DAMAGED[name])
    with pytest.raises(ModelError):
        unpack_bundle(tmp_path / "bundle.zip", tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", DAMAGED)
def test_a_damaged_archive_of_an_export_is_named_and_the_rest_is_read(name: str, tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(DAMAGED[name])
    (tmp_path / "b.txt").write_text("as it is")
    *named, last = list_files(tmp_path)
    assert last.read() == b"as it is"
    assert named
    for file in named:
        assert file.name.startswith("a.zip")
        if not file.fault:
            with suppress(InputError):
                file.read()


@pytest.mark.parametrize("name", DAMAGED)
def test_a_damaged_archive_of_images_is_refused(name: str) -> None:
    with pytest.raises(ImageError, match=r"archive|image"):
        read_frame(DAMAGED[name])


def test_an_index_without_end_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SONOKI_TRAINING_FOLDER", str(tmp_path))
    data = write_long_index(300_000)
    began = time.process_time()
    with pytest.raises(TableError, match=r"holds 300,000 files; at most 20,000"):
        keep_package(data)
    assert time.process_time() - began < 1

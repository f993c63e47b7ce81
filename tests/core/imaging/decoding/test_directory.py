"""A DICOMDIR within a zip archive: its studies are listed in its order, and its pointers are not trusted."""

import zipfile
from io import BytesIO
from pathlib import Path

import pydicom
import pytest

from core.errors import ImageError
from core.imaging import inspect_image, read_frame
from core.imaging.decoding.dicom.directory import list_images
from tests.core.imaging.samples import make_dicom, make_speckle

SHIPPED = Path(pydicom.data.__file__).parent / "test_files" / "dicomdirtests"


def make_archive(index: bytes, folder: str = "CD/", name: str = "DICOMDIR", suffix: str = "") -> bytes:
    """An archive of all files that an index names, each an ultrasound image of another width, and one beside them."""
    stream = BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("CD/other.dcm", make_dicom(make_speckle(60, 60)))
        for number, path in reversed(list(enumerate(list_images(index)))):
            archive.writestr(folder + path.upper() + suffix, make_dicom(make_speckle(60, 70 + number)))
        archive.writestr(folder + name, index)
    return stream.getvalue()


@pytest.mark.parametrize("name", ["DICOMDIR", "DICOMDIR-bigEnd", "DICOMDIR-implicit", "DICOMDIR-reordered"])
@pytest.mark.parametrize("folder", ["", "CD/"])
@pytest.mark.parametrize("suffix", ["", ".dcm", ";1"])
def test_studies_series_and_images_are_listed(name, folder, suffix):
    data = make_archive((SHIPPED / name).read_bytes(), folder, suffix=suffix)
    labels = [item.label for item in inspect_image(data).items]
    assert labels[0].startswith("1: study 1 (")
    assert labels[-1].startswith(f"{len(labels)}: DICOM, ")
    studies = [int(label.split("study ")[1].split(" ")[0]) for label in labels[:-1]]
    assert studies == sorted(studies)
    assert max(studies) > 1
    assert not any(word in " ".join(labels) for word in ("Doe", "Peter", "Archibald"))
    assert [read_frame(data, item=item).width for item in (0, 1, len(labels) - 1)] == [70, 71, 60]


def test_paths_of_another_system_are_the_same():
    index = (SHIPPED / "DICOMDIR").read_bytes()
    stream = BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("DICOMDIR;1", index)
        for path in list(list_images(index))[:3]:
            archive.writestr(path.replace("/", "\\"), make_dicom(make_speckle(60, 70)))
    assert all(" study " in item.label for item in inspect_image(stream.getvalue()).items)


def test_an_index_that_is_broken_leaves_the_files_as_they_are():
    empty, cut = (SHIPPED / "DICOMDIR-empty.dcm").read_bytes(), (SHIPPED / "DICOMDIR").read_bytes()[:700]
    assert list_images(empty) == list_images(cut) == {}
    assert inspect_image(make_archive(cut)).format == "DICOM"
    assert list(list_images((SHIPPED / "DICOMDIR-nopatient").read_bytes()).values()) == ["image 1"]


def test_pointers_that_go_round_in_a_circle_end():
    ds = pydicom.dcmread(SHIPPED / "DICOMDIR")
    for record in ds.DirectoryRecordSequence:
        record.OffsetOfTheNextDirectoryRecord = ds.DirectoryRecordSequence[0].seq_item_tell
        record.OffsetOfReferencedLowerLevelDirectoryEntity = record.seq_item_tell
    stream = BytesIO()
    ds.save_as(stream)
    assert len(list_images(stream.getvalue())) <= len(ds.DirectoryRecordSequence)


def test_an_index_without_its_images_says_what_to_give():
    index, stream = (SHIPPED / "DICOMDIR").read_bytes(), BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("CD/DICOMDIR", index)
    with pytest.raises(ImageError, match="Pack the whole folder"):
        inspect_image(stream.getvalue())
    with pytest.raises(ImageError, match="put the folder into a zip archive"):
        inspect_image(index)

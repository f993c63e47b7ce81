"""Names planted in an upload are in nothing that the Case page keeps, shows, logs, writes or exports."""

import gc
import io
import json
import logging
import tempfile
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pydicom
import pytest
import streamlit as st
from PIL import Image
from streamlit.testing.v1 import AppTest

from core.errors import ImageError
from core.imaging import Frame
from core.imaging.uploads import HeldFile
from tests.pages.planted import (
    BAND,
    FILE_NAME,
    burn_in,
    find_ink,
    find_words,
    make_dicom,
    make_files,
    make_index,
)
from tests.pdf import read_pages

KINDS = ("dicom", "png", "jpeg", "zip", "folder")
BUTTONS = {
    "Estimate (JSON)",
    "Heat map (PNG)",
    "Document (PDF)",
    "Document (HTML)",
    "DICOM with a pseudonym (zip)",
}


@pytest.fixture
def offered(monkeypatch: pytest.MonkeyPatch) -> dict[str, object]:
    """What the buttons of the page hand out, by label."""
    found: dict[str, object] = {}
    draw = st.download_button

    def keep(label: str, data: object, **options: object) -> bool:
        found[label if label not in found else f"{label} {options['file_name']}"] = data
        found[f"name {options['file_name']}"] = options["file_name"]
        return draw(label, data, **options)

    monkeypatch.setattr(st, "download_button", keep)
    return found


@pytest.fixture
def written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, bytes]]:
    """What is seen in the folder for temporary files, by path, while the test runs and after."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    found: dict[str, bytes] = {}
    ended = threading.Event()

    def look() -> None:
        for path in tmp_path.rglob("*"):
            try:
                found[str(path)] = path.read_bytes() if path.is_file() else b""
            except OSError:
                continue

    def watch() -> None:
        while not ended.wait(0.005):
            look()

    watcher = threading.Thread(target=watch)
    watcher.start()
    yield found
    ended.set()
    watcher.join()
    look()
    assert find_words(found) == set()
    assert list(tmp_path.iterdir()) == []


def upload(at: AppTest, data: bytes) -> AppTest:
    at.file_uploader[0].set_value((FILE_NAME, data, "application/octet-stream"))
    return at.run()


def estimate(at: AppTest) -> AppTest:
    return next(button for button in at.button if button.label == "Estimate").click().run()


def hand_out(offered: dict[str, object]) -> dict[str, bytes]:
    """Press every download button; the archive of DICOM files is unpacked, too."""
    made = {label: data() if callable(data) else data for label, data in offered.items()}
    files = {label: data if isinstance(data, bytes) else str(data).encode() for label, data in made.items()}
    with zipfile.ZipFile(io.BytesIO(files["DICOM with a pseudonym (zip)"])) as archive:
        return files | {name: archive.read(name) for name in archive.namelist()}


def shown(at: AppTest) -> list[str]:
    return [str(element.proto) for element in at.main.root if hasattr(element, "proto")]


@pytest.mark.parametrize("kind", KINDS)
def test_the_search_finds_what_is_planted(breast_frame, kind):
    data = make_files(breast_frame)[kind]
    assert find_words({"deep": [(data,)]}) >= {"smithers", "annabel"}
    assert find_ink(breast_frame, [burn_in(breast_frame)[BAND]])
    assert not find_ink(breast_frame, breast_frame.pixels)


@pytest.mark.parametrize("kind", KINDS)
def test_no_planted_name_is_kept_shown_logged_written_or_handed_out(
    open_page, breast_frame, offered, written, caplog, capfd, kind
):
    data = make_files(breast_frame)[kind]
    caplog.set_level(logging.DEBUG)
    at = upload(open_page("pages/1_Case.py"), data)
    texts = shown(at)
    estimate(at)
    assert not at.error, [error.value for error in at.error]
    texts += shown(at)
    files = hand_out(offered)
    assert set(files) >= BUTTONS | {"sc.dcm", "sr.dcm", "report.dcm"}
    assert len(files) > 12
    assert "probability of a high Ki-67" in "".join(texts)

    assert find_words(texts, files, read_pages(files["Document (PDF)"]), caplog.text, *capfd.readouterr()) == set()
    assert find_words(at.session_state) == set()
    assert not find_ink(breast_frame, at.session_state, files["sc.dcm"])
    assert json.loads(files["Estimate (JSON)"])["case"]["frame_count"] == 1
    with Image.open(io.BytesIO(files["Heat map (PNG)"])) as png:
        assert find_words(png.info, png.getexif()) == set()
        assert not find_ink(breast_frame, np.ascontiguousarray(np.asarray(png)[..., 0]))
    assert pydicom.dcmread(io.BytesIO(files["sc.dcm"])).PatientID.startswith("SONOKI-")


def test_the_file_itself_goes_with_the_case(open_page, breast_frame):
    file = make_dicom(breast_frame)
    at = upload(open_page("pages/1_Case.py"), file)
    again = HeldFile(at.session_state["case"].source.file.ticket, "")
    assert again.read() == file
    next(button for button in at.button if button.label == "Remove this image").click().run()
    gc.collect()
    with pytest.raises(ImageError, match="no longer held"):
        again.read()
    assert find_words(at.session_state) == set()


def test_the_index_of_a_folder_is_refused_without_its_names(open_page, written, caplog, capfd):
    caplog.set_level(logging.DEBUG)
    at = upload(open_page("pages/1_Case.py"), make_index())
    assert "is a DICOMDIR" in at.error[0].value
    assert find_words(shown(at), at.session_state, caplog.text, *capfd.readouterr()) == set()


def test_words_outside_the_area_change_no_pixel_that_leaves(open_page, breast_frame, offered):
    pictures = []
    for words in ("Smithers^Annabel 19620229", "Wellington^Arthur 17690501 M"):
        at = upload(open_page("pages/1_Case.py"), make_dicom(breast_frame, words))
        offered.clear()
        estimate(at)
        pictures.append(pydicom.dcmread(io.BytesIO(hand_out(offered)["sc.dcm"])).pixel_array)
        (frame,) = {id(frame): frame for frame in at.session_state["case_frame"].values()}.values()
        assert isinstance(frame, Frame)
        np.testing.assert_array_equal(frame.pixels, breast_frame.pixels[86:886, 205:1074])
    np.testing.assert_array_equal(*pictures)

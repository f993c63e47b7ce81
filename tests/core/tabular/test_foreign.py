"""Files that are no tables whatever they are called, and tables under any name."""

import gzip
import io
import zipfile

import pytest

from core.errors import TableError
from core.tabular import read_table
from tests.core.tabular.workbooks import write_workbook

PLAIN = b"patient_id,y,prob\nP1,1,0.75\nP2,0,0.25\n"


def pack(**parts: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name.replace("__", "/").replace("_", "."), content)
    return packed.getvalue()


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (pack(table_csv=PLAIN), "a zip archive, no table: unpack it"),
        (pack(), "an empty zip archive"),
        (pack(word__document_xml=b"<x/>"), "a Word document"),
        (pack(Index__Document_iwa=b"x"), "an Apple document, no table: export"),
        (gzip.compress(PLAIN), r"compressed \(gzip\), no table: unpack it"),
        (b"%PDF-1.7\n1 0 obj\n", "a PDF document"),
        (b"\n<html><body><table><tr><td>patient_id</td></tr></table>", "HTML or XML.* save it as .xlsx"),
        (b'\xef\xbb\xbf<?xml version="1.0"?><Workbook/>', "HTML or XML"),
        (b'[\n  {"patient_id": "P1", "prob": 0.5}]', "JSON"),
        (b"{\\rtf1 patient_id,y,prob}", "an RTF document"),
        (b"$FL2@(#) SPSS DATA FILE", "an SPSS file, no table: export"),
        (b"\x89PNG\r\n\x1a\n", "a picture"),
        (bytes(128) + b"DICM", "a DICOM image"),
    ],
    ids=lambda value: value if isinstance(value, str) else "file",  # the bytes hold the time
)
def test_what_is_no_table_is_called_by_its_name(content, sentence):
    with pytest.raises(TableError, match=f"The file is {sentence}"):
        read_table(content)


@pytest.mark.parametrize(
    "content", [PLAIN, write_workbook([["patient_id", "y", "prob"], ["P1", 1, 0.5]])], ids=["text", "workbook"]
)
def test_a_table_is_told_by_its_content(content):
    assert read_table(content).header == ("patient_id", "y", "prob")

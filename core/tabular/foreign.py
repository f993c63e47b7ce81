"""Files that are no tables, whatever their names say: what they are, and what to do."""

from codecs import BOM_UTF8
from io import BytesIO
from zipfile import BadZipFile, ZipFile

from core.errors import TableError

SENTENCE = "The file is {what}, no table: {do}."
GIVE = "give it as Excel (.xlsx), ODS, Parquet or CSV"
UNPACK = "unpack it, and give the table that is in it"
EXPORT = "export the table from there as .xlsx or CSV"
RESAVE = "open it in a spreadsheet program, and save it as .xlsx"
STARTS = {
    b"\x1f\x8b": ("compressed (gzip)", UNPACK),
    b"BZh91AY&SY": ("compressed (bzip2)", UNPACK),
    b"\xfd7zXZ": ("compressed (xz)", UNPACK),
    b"(\xb5/\xfd": ("compressed (zstd)", UNPACK),
    b"7z\xbc\xaf\x27\x1c": ("a 7z archive", UNPACK),
    b"Rar!": ("a RAR archive", UNPACK),
    b"PK\x05\x06": ("an empty zip archive", GIVE),
    b"%PDF": ("a PDF document", GIVE),
    b"{\\rtf": ("an RTF document", GIVE),
    b"\x89PNG": ("a picture", GIVE),
    b"\xff\xd8\xff": ("a picture", GIVE),
    b"II*\x00": ("a picture", GIVE),
    b"MM\x00*": ("a picture", GIVE),
    b"$FL2@(#)": ("an SPSS file", EXPORT),
    b"$FL3@(#)": ("an SPSS file", EXPORT),
    b"<stata_dta>": ("a Stata file", EXPORT),
    b"RDX2\n": ("an R file", EXPORT),
    b"RDX3\n": ("an R file", EXPORT),
    b"SQLite format 3": ("a database", EXPORT),
    b"<": ("HTML or XML, which some programs save as .xls", RESAVE),
    b"{": ("JSON", GIVE),
    b"[{": ("JSON", GIVE),
}
PARTS = {
    "xl/": None,
    "content.xml": None,
    "word/": ("a Word document", GIVE),
    "ppt/": ("a presentation", GIVE),
    "index/document.iwa": ("an Apple document", EXPORT),
}
ZIP_START, DICOM, DICOM_AT = b"PK\x03\x04", b"DICM", 128
LOOKED_AT = 256


def refuse_foreign(content: bytes) -> None:
    """Refuse what its first bytes, or the parts of its archive, show to be no table."""
    found = _name_archive(content) if content.startswith(ZIP_START) else _name_file(content)
    if found is not None:
        raise TableError(SENTENCE.format(what=found[0], do=found[1]))


def _name_file(content: bytes) -> tuple[str, str] | None:
    if content.startswith(DICOM, DICOM_AT):
        return "a DICOM image", GIVE
    start = content[:LOOKED_AT].removeprefix(BOM_UTF8).lstrip()
    starts = start, b"".join(start.split())
    return next((found for mark, found in STARTS.items() if any(s.startswith(mark) for s in starts)), None)


def _name_archive(content: bytes) -> tuple[str, str] | None:
    try:
        with ZipFile(BytesIO(content)) as archive:
            names = [name.lower() for name in archive.namelist()]
    except BadZipFile:
        return None
    known = (found for name in names for part, found in PARTS.items() if name.startswith(part))
    return next(known, ("a zip archive", UNPACK))

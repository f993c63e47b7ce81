"""Every DICOM file that the tests know, beside what DCMTK and GDCM show of it, as a table in Markdown.

`python -m tests.core.imaging.decoding.table [FOLDER ...]` prints it: maker, transfer syntax, and the largest difference
in grey levels over the first frame, or the sentence that refuses the file. Files of the folders are added, those of
other modalities as if they were ultrasound.
"""

import sys
import tempfile
import warnings
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import numpy as np
from pydicom import dcmread

from core.errors import ImageError
from core.imaging import inspect_image
from tests.core.imaging.decoding.dicom_files import CODECS, KINDS, compress_by_dcmtk, make_defects, make_files
from tests.core.imaging.decoding.viewers import FOLDER, as_ultrasound, show, show_by_dcmtk, show_by_gdcm, to_luma


def list_rows(folder: Path, others: list[Path]) -> Iterator[tuple[str, ...]]:
    """Give maker, file, transfer syntax, and the difference from what was written or from each viewer."""
    for source in (FOLDER, *others):
        for path in sorted(path for path in source.rglob("*") if path.suffix in {"", ".dcm"} and path.is_file()):
            data = as_ultrasound(path.read_bytes())
            yield (*_describe(data), path.name, *_compare(data, None, folder))
    made = make_files()
    for name, (data, written) in made.items():
        yield ("made", _describe(data)[1], name, *_compare(data, written, folder))
    for codec in CODECS:
        for kind in KINDS:
            data = compress_by_dcmtk(codec, made[kind][0], folder)
            if data is not None:
                yield ("made, by DCMTK", _describe(data)[1], f"{codec}: {kind}", *_compare(data, None, folder))
    for name, data in make_defects().items():
        yield ("defect", _describe(data)[1], name, *_compare(data, None, folder))


def _describe(data: bytes) -> tuple[str, str]:
    """Give maker and transfer syntax."""
    try:
        header = dcmread(BytesIO(data), stop_before_pixels=True, force=True)
        syntax = getattr(header.file_meta, "TransferSyntaxUID", None)
        return str(header.get("Manufacturer") or "not named"), "not named" if syntax is None else syntax.name
    except Exception:  # noqa: BLE001 - some defects can't be parsed at all
        return "not read", "not read"


def _compare(data: bytes, written: np.ndarray | None, folder: Path) -> tuple[str, str]:
    """Give the differences in words, and the sentence of a refusal."""
    path = folder / "file.dcm"
    path.write_bytes(data)
    try:
        inspect_image(data)
        ours = to_luma(show(data))
    except ImageError as refusal:
        return "refused", str(refusal)
    except Exception:  # noqa: BLE001 - as the decoder's process stops it
        return "refused", "damaged or incomplete"
    others = {"DCMTK": show_by_dcmtk(path), "GDCM": show_by_gdcm(path)}
    found = {name: to_luma(pixels) for name, pixels in others.items() if pixels is not None}
    if written is not None:
        found["what was written"] = to_luma(written.round().astype(np.uint8))
    alike = [f"{name} {np.abs(ours - pixels).max()}" for name, pixels in found.items() if pixels.shape == ours.shape]
    return "shown", ", ".join(alike) or "no viewer reads it"


def main() -> None:
    """Print the table."""
    warnings.simplefilter("ignore")
    print("| maker | transfer syntax | file |  | largest difference in grey levels, or the refusal |")  # noqa: T201
    print("| --- | --- | --- | --- | --- |")  # noqa: T201
    with tempfile.TemporaryDirectory() as folder:
        for row in list_rows(Path(folder), [Path(other) for other in sys.argv[1:]]):
            print("| " + " | ".join(row) + " |")  # noqa: T201 - its result


if __name__ == "__main__":
    main()

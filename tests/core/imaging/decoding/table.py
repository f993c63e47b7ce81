"""Every DICOM file that the tests know, beside what DCMTK and GDCM show of it, as a table in Markdown.

`python -m tests.core.imaging.decoding.table` prints it: the largest difference in grey levels over the first frame, or
the sentence that refuses the file.
"""

import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from core.errors import ImageError
from core.imaging import read_frame
from tests.core.imaging.decoding.dicom_files import CODECS, KINDS, compress_by_dcmtk, make_defects, make_files
from tests.core.imaging.decoding.viewers import SHIPPED, read_shipped, show, show_by_dcmtk, show_by_gdcm, to_luma


def list_rows(folder: Path) -> Iterator[tuple[str, str, str, str]]:
    """Give source, file, and the difference from what was written or from each viewer."""
    for name in SHIPPED:
        yield ("pydicom", name, *_compare(read_shipped(name), None, folder))
    made = make_files()
    for name, (data, written) in made.items():
        yield ("made", name, *_compare(data, written, folder))
    for codec in CODECS:
        for kind in KINDS:
            data = compress_by_dcmtk(codec, made[kind][0], folder)
            if data is not None:
                yield ("made, by DCMTK", f"{codec}: {kind}", *_compare(data, None, folder))
    for name, data in make_defects().items():
        yield ("defect", name, *_compare(data, None, folder))


def _compare(data: bytes, written: np.ndarray | None, folder: Path) -> tuple[str, str]:
    """Give the differences in words, and the sentence of a refusal."""
    path = folder / "file.dcm"
    path.write_bytes(data)
    try:
        read_frame(data)
    except ImageError as refusal:
        return "refused", str(refusal)
    ours = to_luma(show(data))
    others = {"DCMTK": show_by_dcmtk(path), "GDCM": show_by_gdcm(path)}
    found = {name: to_luma(pixels) for name, pixels in others.items() if pixels is not None}
    if written is not None:
        found["what was written"] = to_luma(written.round().astype(np.uint8))
    alike = [f"{name} {np.abs(ours - pixels).max()}" for name, pixels in found.items() if pixels.shape == ours.shape]
    return "shown", ", ".join(alike) or "no viewer reads it"


def main() -> None:
    """Print the table."""
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as folder:
        rows = [("source", "file", "", "largest difference in grey levels, or the refusal"), ("---",) * 4]
        rows += list(list_rows(Path(folder)))
    for row in rows:
        print("| " + " | ".join(row) + " |")  # noqa: T201 - its result


if __name__ == "__main__":
    main()

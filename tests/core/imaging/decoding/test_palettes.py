"""Palettes as writers fill them: what the indices mean, or a sentence; never a black picture."""

import numpy as np
import pytest
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian

from core.errors import ImageError
from tests.core.imaging.decoding.dicom_files import GREY, in_syntax
from tests.core.imaging.decoding.viewers import show

RAMP = 255 - np.arange(256)
SHOWN = np.dstack([255 - GREY] * 3)


def make_palette(descriptor, entries, syntax=ExplicitVRLittleEndian, channels=("Red", "Green", "Blue")):
    tags: dict[str, object] = {"PhotometricInterpretation": "PALETTE COLOR"}
    for channel in channels:
        tags[f"{channel}PaletteColorLookupTableDescriptor"] = descriptor
        tags[f"{channel}PaletteColorLookupTableData"] = entries.tobytes() + b"\0" * (entries.nbytes % 2)
    return in_syntax(syntax, GREY, **tags)


@pytest.mark.parametrize(
    ("stated", "entries"),
    [
        (16, RAMP),
        (16, RAMP * 256),
        (12, RAMP * 16),
        (12, RAMP),
        (10, RAMP * 4),
        (8, RAMP),
        (8, RAMP * 257),
    ],
)
@pytest.mark.parametrize(("syntax", "order"), [(ExplicitVRLittleEndian, "<u2"), (ExplicitVRBigEndian, ">u2")])
def test_entries_are_read_by_the_bits_that_they_fill(stated, entries, syntax, order):
    np.testing.assert_array_equal(show(make_palette([256, 0, stated], entries.astype(order), syntax)), SHOWN)


def test_entries_lie_packed_start_elsewhere_and_hold_for_all_beyond():
    np.testing.assert_array_equal(show(make_palette([256, 0, 8], RAMP.astype("u1"))), SHOWN)
    part = show(make_palette([99, 10, 8], RAMP[10:109].astype("u1")))
    np.testing.assert_array_equal(part, 255 - np.dstack([GREY.clip(10, 108)] * 3))


def test_a_table_that_is_not_whole_is_refused():
    for data in (
        make_palette([256, 0, 8], RAMP[:100].astype("u1")),
        make_palette([256, 0, 16], RAMP[:200].astype("<u2")),
        make_palette([256, 0, 8], RAMP.astype("u1"), channels=("Red",)),
        make_palette([256, 0, 8], RAMP.astype("u1"), channels=()),
    ):
        with pytest.raises(ImageError, match="numbers of a table that it does not hold whole"):
            show(data)

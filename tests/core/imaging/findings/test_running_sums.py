"""Running sums and runs equal the plain loop over rows."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from core.imaging.findings.running_sums import slide, sum_bands

PIXELS = arrays(np.uint8, array_shapes(min_dims=2, max_dims=2, max_side=40))


@given(PIXELS, st.data(), st.sampled_from([np.logical_and, np.logical_or, np.maximum, np.bitwise_xor]))
def test_each_window_combines_its_rows(pixels, data, combine):
    length = data.draw(st.integers(1, len(pixels)))
    expected = [combine.reduce(pixels[i : i + length], axis=0) for i in range(len(pixels) - length + 1)]
    found = slide(combine, pixels, length)
    assert found.shape == (len(pixels) - length + 1, pixels.shape[1])
    if length > 1:
        assert np.array_equal(found, expected)


@given(PIXELS, st.integers(1, 50))
def test_each_band_sums_its_rows_and_the_last_what_is_left(pixels, height):
    expected = [pixels[i : i + height].sum(axis=0, dtype=int) for i in range(0, len(pixels), height)]
    assert np.array_equal(sum_bands(pixels, height), expected)

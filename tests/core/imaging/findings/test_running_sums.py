"""Running sums and runs equal the plain loop over rows."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from scipy import ndimage

from core.imaging.findings.appearance import _take_off_mean, count_levels
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


@pytest.mark.parametrize("side", [3, 9])
def test_the_mean_around_a_pixel_is_scipys(side):
    pixels = np.random.default_rng(3).integers(0, 256, (37, 61), dtype=np.uint8)
    expected = pixels - ndimage.uniform_filter(pixels.astype(np.float64), side, mode="nearest")
    assert _take_off_mean(pixels, side) == pytest.approx(expected, abs=1e-4)


@given(PIXELS)
def test_levels_are_counted(pixels):
    assert np.array_equal(count_levels(pixels), np.bincount(pixels.ravel(), minlength=256))

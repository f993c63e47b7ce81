"""The heat map's second reading in words."""

from dataclasses import replace

import numpy as np

from core.ui.viewer.heat import lay_heatmap


def test_a_place_beyond_the_scale_is_said_to_be_beyond_it(prediction):
    view = replace(prediction.views[0], heatmap=np.array([[20.0, 0.0], [0.0, 0.0]]), heatmap_offset=0.0)
    assert "Strongest place +20.0, beyond the scale's end; sums to +5.00" in lay_heatmap(view, limit=13.7).legend
    assert "Strongest place +20.0 of 25.0; sums" in lay_heatmap(view, limit=25.0).legend

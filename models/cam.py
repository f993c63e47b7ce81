"""The class activation map: what each place of the image adds to the logit; linear, so one pass and no gradient."""

import numpy as np
from numpy.typing import NDArray


def compute_score_map(maps: NDArray[np.floating], weights: NDArray[np.floating]) -> NDArray[np.floating]:
    """Weigh the last feature maps by a linear head, or by several; shape (..., k, h, w)."""
    *_, height, width = maps.shape
    score_map = np.matmul(weights, maps.reshape(*maps.shape[:-2], height * width))
    return score_map.reshape(*score_map.shape[:-1], height, width)


def compute_heatmap(score_map: NDArray[np.float64], image_coef: float) -> NDArray[np.float64]:
    """Bring a score map to log-odds: M_ij = b_img (w . A_ij), signed, never rescaled."""
    return image_coef * score_map

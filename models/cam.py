"""The class activation map: what each place of the image adds to the logit; linear, so one pass and no gradient."""

import numpy as np
from numpy.typing import NDArray


def compute_score_map(maps: NDArray[np.float32], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Weigh the last feature maps by a linear head.

    Parameters
    ----------
    maps : ndarray of float32, (2048, h, w)
        Last feature maps A of one image.
    weights : ndarray of float64, (2048,)
        Weights w of the head.

    Returns
    -------
    ndarray of float64, (h, w)
        w . A_ij; its mean plus the head's bias is the image score s.
    """
    return np.tensordot(weights, maps.astype(np.float64), axes=1)


def compute_heatmap(score_map: NDArray[np.float64], image_coef: float) -> NDArray[np.float64]:
    """Bring a score map to log-odds: M_ij = b_img (w . A_ij), signed, never rescaled."""
    return image_coef * score_map

"""How alike two readers' boxes are: the distribution of their overlap."""

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from core.evaluation.box_agreement import BoxAgreement
from core.figures.theme import COLOURS, new_figure

BINS = 20


def tabulate_overlap(agreement: BoxAgreement) -> pd.DataFrame:
    """Count images by intersection over union, in twenty bins."""
    edges = np.linspace(0, 1, BINS + 1)
    counts, _ = np.histogram(agreement.table["iou"], edges)
    return pd.DataFrame({"iou_from": edges[:-1].round(2), "iou_to": edges[1:].round(2), "images": counts})


def plot_overlap(agreement: BoxAgreement) -> go.Figure:
    """Draw how many images have which overlap."""
    table = tabulate_overlap(agreement)
    figure = new_figure(x_title=f"Intersection over union, n = {agreement.n} images", y_title="Images", height=300)
    middle = (table["iou_from"] + table["iou_to"]) / 2
    figure.add_bar(x=middle, y=table["images"], width=1 / BINS, marker={"color": COLOURS[0]}, name="Images")
    return figure.update_xaxes(range=[0, 1])

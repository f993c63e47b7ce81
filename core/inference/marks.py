"""What burned-in marks weigh in a heat map: caliper crosses and words inside the square that the network saw."""

from typing import NamedTuple

import numpy as np

from core.imaging import Frame, Roi
from core.imaging.findings.calipers import name_marks
from core.imaging.findings.overlays import LONGEST_ARM
from core.imaging.findings.whole_frame import get_survey
from core.inference.explain import spread_offset
from core.inference.prediction import ViewEstimate

GRID = 96


class MarkWeight(NamedTuple):
    """What marks weigh."""

    share: float  # part of the heat map's absolute log-odds that lies on them, 0 to 1
    name: str  # "2 caliper marks and words", for example
    place: str  # where in the square their weight lies: "at the lower edge", for example
    # crosses, words: the marks themselves, as `remove_calipers` takes them
    crosses: tuple[tuple[int, int], ...]
    words: tuple[Roi, ...]


def weigh_marks(estimate: ViewEstimate, frame: Frame) -> MarkWeight | None:
    """Give the marks' share of the heat map's absolute log-odds; None where none lies inside the square."""
    survey, (x0, y0, x1, y1) = get_survey(frame), estimate.reading.area
    crosses = tuple((x, y) for x, y in survey.crosses if x0 <= x <= x1 and y0 <= y <= y1)
    words = tuple(word for word in survey.words if word.x0 < x1 and word.x1 > x0 and word.y0 < y1 and word.y1 > y0)
    if not crosses and not words:
        return None
    arm = LONGEST_ARM + 1
    boxes = [*words, *(Roi(x - arm, y - arm, x + arm, y + arm) for x, y in crosses)]
    xs, ys = (low + (np.arange(GRID) + 0.5) * (high - low) / GRID for low, high in ((x0, x1), (y0, y1)))
    covered = np.zeros((GRID, GRID), bool)
    for box in boxes:
        covered |= np.outer((ys >= box.y0) & (ys <= box.y1), (xs >= box.x0) & (xs <= box.x1))
    cells = np.abs(spread_offset(estimate))
    rows, columns = (np.arange(GRID) * n // GRID for n in cells.shape)
    weight = cells[np.ix_(rows, columns)]
    held = float(weight[covered].sum())
    if not held:
        return MarkWeight(0.0, name_marks(crosses, words), "", crosses, words)
    down, across = (float((weight * covered).sum(axis=axis) @ np.arange(GRID)) / held / GRID for axis in (1, 0))
    share, place = held / float(weight.sum()), _name_place(across, down)
    return MarkWeight(share, name_marks(crosses, words), place, crosses, words)


def _name_place(across: float, down: float) -> str:
    """Name a place in the square by the edge that it is nearest to."""
    distances = {"left": across, "right": 1 - across, "upper": down, "lower": 1 - down}
    edge = min(distances, key=lambda name: distances[name])
    return "in the middle" if distances[edge] > 1 / 3 else f"at the {edge} edge"

"""Questions about clinical values that do not go together, or not with the image; none stops an estimate."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from core.imaging import Frame, Roi

OLDEST = {"pre": 60.0, "peri": 62.0}  # natural menopause: median 51 years, 95 % by 57
YOUNGEST = {"peri": 35.0, "post": 40.0}
NAMES = {"pre": "premenopausal", "peri": "perimenopausal", "post": "postmenopausal"}
TIMES_OF_BOX = 2.0


@dataclass(frozen=True)
class Question:
    """A doubt about a value."""

    field: str  # beside which field it is asked
    sentence: str  # what does not go together, with the values


def question_values(
    clinical: Mapping[str, object], frame: Frame | None = None, roi: Roi | None = None
) -> tuple[Question, ...]:
    """Find values that are likely to be slips of the pen."""
    found = [*_question_menopause(clinical)]
    if frame is not None and frame.mm_per_px is not None:
        found += _question_size(clinical, frame.width * frame.mm_per_px, frame.mm_per_px, roi)
    return tuple(found)


def _question_menopause(clinical: Mapping[str, object]) -> Iterator[Question]:
    age, status = clinical.get("age"), str(clinical.get("menopausal"))
    if not isinstance(age, int | float):
        return
    if age >= OLDEST.get(status, float("inf")) or age < YOUNGEST.get(status, 0.0):
        yield Question("menopausal", f"{age:g} years and {NAMES[status]} seldom go together. Check both values.")


def _question_size(
    clinical: Mapping[str, object], width_mm: float, mm_per_px: float, roi: Roi | None
) -> Iterator[Question]:
    size = clinical.get("size_mm")
    if not isinstance(size, int | float):
        return
    if size > width_mm:
        yield Question(
            "size_mm",
            f"A diameter of {size:g} mm is larger than the image, which is {width_mm:.0f} mm wide. Check the value and "
            "its unit.",
        )
        return
    box_mm = 0.0 if roi is None else max(roi.width, roi.height) * mm_per_px
    if box_mm and not 1 / TIMES_OF_BOX <= size / box_mm <= TIMES_OF_BOX:
        yield Question(
            "size_mm",
            f"A diameter of {size:g} mm does not fit the lesion box, whose longer side is {box_mm:.0f} mm. Check both.",
        )

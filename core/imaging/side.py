"""The breast that a case is about: what the headers of its images and its form say of it."""

from collections.abc import Iterable

from core.errors import ImageError
from core.imaging.frame import Frame

LETTERS = {"left": "L", "right": "R"}
WORDS = {letter: word for word, letter in LETTERS.items()}
CONTRADICTS = (
    "The file's header says {} breast, the field laterality says {}. Correct that field, or the header in the archive."
)
BOTH = (
    "The headers of the images name both the left and the right breast. Leave out the views of the other one, or "
    "correct the header in the archive."
)


def list_sides(frames: Iterable[Frame]) -> str:
    """Every side that the headers of a case's images name: "L", "R", "LR" or none."""
    return "".join(sorted(set("".join(frame.side for frame in frames))))


def find_side(frames: Iterable[Frame], form: str | None) -> str | None:
    """Give "left" or "right" where the headers agree on it, else what the form says."""
    return WORDS.get(list_sides(frames), form)


def settle_side(header: str, form: str | None) -> str:
    """Give the one breast ("L", "R"; "" where not known) that headers ("L", "R", "LR", "") and form name.

    An ImageError if they name more than one.
    """
    if len(header) > 1:
        raise ImageError(BOTH)
    letter = LETTERS[form] if form else ""
    if header and letter and header != letter:
        raise ImageError(CONTRADICTS.format(WORDS[header], form))
    return header or letter

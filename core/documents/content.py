"""What a document says: frozen records that the caller fills, without layout."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from core.figures.rendering import Drawing
from core.inference import Prediction
from models.cutoff import Cutoff


@dataclass(frozen=True)
class Picture:
    """A picture with what it shows in words.

    Parameters
    ----------
    data : bytes
        PNG, JPEG or SVG file.
    width, height : int
        Size in pixels; only their ratio matters.
    alt : str
        What it shows, for those who don't see it.
    caption : str
        Line below it.
    """

    data: bytes = field(repr=False)
    width: int
    height: int
    alt: str
    caption: str = ""

    @property
    def media_type(self) -> str:
        """Media type of the data."""
        starts = {b"\x89PNG": "image/png", b"\xff\xd8": "image/jpeg"}
        return next((name for start, name in starts.items() if self.data.startswith(start)), "image/svg+xml")

    def render(self, *, outlined: bool) -> bytes:  # noqa: ARG002 - as a drawing's
        """Give the file; letters in a photograph stay as they are."""
        return self.data


@dataclass(frozen=True)
class FurtherView:
    """A view beside the first one, with what it gives to the estimate.

    Parameters
    ----------
    name : str
        Number and plane.
    image : Picture
        The frame with the lesion box.
    heatmap : Drawing
        Its heat map.
    words : str
        The estimate from this view alone, and its part of the joint one.
    """

    name: str
    image: Picture
    heatmap: Drawing
    words: str


@dataclass(frozen=True)
class Decision:
    """An entry that a reader made.

    Parameters
    ----------
    time_utc : str
        When, ISO 8601 in UTC.
    author : str
        Who.
    kind : str
        "decision", "note", "reading" or what the store calls it.
    text : str
        What was written, with the reason of an override.
    agrees : bool or None
        Whether it follows the model's call; None where it does not say.
    """

    time_utc: str
    author: str
    kind: str
    text: str
    agrees: bool | None = None


@dataclass(frozen=True)
class Origin:
    """Which model answered.

    Parameters
    ----------
    bundle, bundle_sha256 : str
        Name and hash of the bundle.
    simulated : bool
        Whether its training patients are made up.
    cutoff : Cutoff
        Ki-67 that counts as high.
    intended_use : str
        What it may be used for.
    trained_on : str
        Its training patients in words.
    """

    bundle: str
    bundle_sha256: str
    simulated: bool
    cutoff: Cutoff
    intended_use: str
    trained_on: str


@dataclass(frozen=True)
class Stamp:
    """What is printed on every page of a document.

    Parameters
    ----------
    app_version : str
        Version of the program.
    created_utc : str
        When it was made, ISO 8601 in UTC; empty where it is not to be printed.
    """

    app_version: str
    created_utc: str = ""


@dataclass(frozen=True)
class PatientContent:
    """All that a patient's document says.

    Parameters
    ----------
    patient : str or None
        Pseudonym; None where the image came without one.
    simulated : bool
        Whether the patient is made up.
    origin : Origin
        The bundle.
    stamp : Stamp
        Version and time.
    prediction : Prediction or None
        The estimate; None where none was made. A refused one is shown as refused, without a figure.
    inputs : mapping of str to value
        Known values of the model's fields.
    image : Picture or None
        The frame with its lesion box.
    figures : mapping of str to Drawing
        "scale", "icons", "waterfall", "nomogram", "heatmap", and "strip" for a list.
    further_views : tuple of FurtherView
        The views beside the first one, which `image` and the heat map show.
    view_words : str
        What the first view gives, and how far the views differ; empty where there is one.
    seen : str
        What part of the image the model saw.
    core_biopsy : mapping of str to value
        What pathology said of the core, by field; shown beside the estimate, never fed in.
    follow_up : mapping of str to value
        What became known after surgery, by field.
    decisions : tuple of Decision
        Entries in the order of their time.
    file_sha256 : str
        Hash of the image file; of several, one after the other.
    evidence : tuple of Picture or Drawing
        Figures of how well the bundle does.
    absence : str
        Why there is no estimate, where there is none.
    entry : str
        Entry of the register that keeps the estimate, NUMBER:HASH; empty where none does.
    """

    patient: str | None
    simulated: bool
    origin: Origin
    stamp: Stamp
    prediction: Prediction | None = None
    inputs: Mapping[str, object] = field(default_factory=dict)
    image: Picture | None = None
    figures: Mapping[str, Picture | Drawing] = field(default_factory=dict)
    further_views: tuple[FurtherView, ...] = ()
    view_words: str = ""
    seen: str = ""
    core_biopsy: Mapping[str, object] = field(default_factory=dict)
    follow_up: Mapping[str, object] = field(default_factory=dict)
    decisions: tuple[Decision, ...] = ()
    file_sha256: str = ""
    evidence: tuple[Picture | Drawing, ...] = ()
    absence: str = ""
    entry: str = ""

    @property
    def is_refused(self) -> bool:
        """Whether the model refused the image."""
        return self.prediction is not None and self.prediction.applicability.status == "refused"

    @property
    def shown(self) -> Prediction | None:
        """The estimate if it may be shown."""
        return None if self.is_refused else self.prediction


@dataclass(frozen=True)
class MeetingContent:
    """All that a meeting's document says.

    Parameters
    ----------
    title : str
        Name of the meeting.
    patients : tuple of PatientContent
        In the order in which the board saw them.
    stamp : Stamp
        Version and time.
    held_on : str
        Date, ISO 8601; empty where it is not known.
    evidence : tuple of Picture or Drawing
        Figures of how well the bundle does.
    last_entry : str
        NUMBER:HASH of the last entry in the board's record when the document was made; empty where there is none.
    """

    title: str
    patients: tuple[PatientContent, ...]
    stamp: Stamp
    held_on: str = ""
    evidence: tuple[Picture | Drawing, ...] = ()
    last_entry: str = ""

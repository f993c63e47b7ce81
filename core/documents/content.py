"""What a document says: frozen records that the caller fills, without layout."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from core.figures.rendering import Drawing
from core.inference import Prediction
from models.cutoff import Cutoff


@dataclass(frozen=True)
class Picture:
    """A picture with what it shows in words."""

    data: bytes = field(repr=False)  # PNG, JPEG or SVG file
    # width, height: size in pixels; only their ratio matters
    width: int
    height: int
    alt: str  # what it shows, for those who don't see it
    caption: str = ""  # line below it

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
    """A view beside the first one, with what it gives to the estimate."""

    name: str  # number and plane
    image: Picture  # the frame with the lesion box
    heatmap: Drawing  # its heat map
    words: str  # the estimate from this view alone, and its part of the joint one


@dataclass(frozen=True)
class Decision:
    """An entry that a reader made."""

    time_utc: str  # when, ISO 8601 in UTC
    author: str  # who
    kind: str  # "decision", "note", "reading" or what the store calls it
    text: str  # what was written, with the reason of an override
    agrees: bool | None = None  # whether it follows the model's call; None where it does not say


@dataclass(frozen=True)
class Origin:
    """Which model answered."""

    # bundle, bundle_sha256: name and hash of the bundle
    bundle: str
    bundle_sha256: str
    simulated: bool  # whether its training patients are made up
    cutoff: Cutoff  # Ki-67 that counts as high
    intended_use: str  # what it may be used for
    trained_on: str  # its training patients in words


@dataclass(frozen=True)
class Stamp:
    """What is printed on every page of a document."""

    app_version: str  # version of the program
    created_utc: str = ""  # when it was made, ISO 8601 in UTC; empty where it is not to be printed


@dataclass(frozen=True)
class PatientContent:
    """All that a patient's document says."""

    patient: str | None  # pseudonym; None where the image came without one
    simulated: bool  # whether the patient is made up
    origin: Origin  # the bundle
    stamp: Stamp  # version and time
    # the estimate; None where none was made. A refused one is shown as refused, without a figure
    prediction: Prediction | None = None
    inputs: Mapping[str, object] = field(default_factory=dict)  # known values of the model's fields
    image: Picture | None = None  # the frame with its lesion box
    # "scale", "icons", "waterfall", "nomogram", "heatmap", and "strip" for a list
    figures: Mapping[str, Picture | Drawing] = field(default_factory=dict)
    further_views: tuple[FurtherView, ...] = ()  # the views beside the first one, which `image` and the heat map show
    view_words: str = ""  # what the first view gives, and how far the views differ; empty where there is one
    seen: str = ""  # what part of the image the model saw
    # what pathology said of the core, by field; shown beside the estimate, never fed in
    core_biopsy: Mapping[str, object] = field(default_factory=dict)
    follow_up: Mapping[str, object] = field(default_factory=dict)  # what became known after surgery, by field
    decisions: tuple[Decision, ...] = ()  # entries in the order of their time
    file_sha256: str = ""  # hash of the image file; of several, one after the other
    evidence: tuple[Picture | Drawing, ...] = ()  # figures of how well the bundle does
    absence: str = ""  # why there is no estimate, where there is none
    entry: str = ""  # entry of the register that keeps the estimate, NUMBER:HASH; empty where none does

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
    """All that a meeting's document says."""

    title: str  # name of the meeting
    patients: tuple[PatientContent, ...]  # in the order in which the board saw them
    stamp: Stamp  # version and time
    held_on: str = ""  # date, ISO 8601; empty where it is not known
    evidence: tuple[Picture | Drawing, ...] = ()  # figures of how well the bundle does
    # NUMBER:HASH of the last entry in the board's record when the document was made; empty where there is none
    last_entry: str = ""

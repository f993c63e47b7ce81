"""What a session knows of the register's page; Streamlit has no part in it."""

from dataclasses import dataclass, replace

from core.fhir.observation import FoundOutcomes
from core.register.listing import Filter
from core.register.outcome_import import JudgedRow

EVERYTHING = Filter()


@dataclass(frozen=True)
class RegisterState:
    """Where the page stands."""

    wanted: Filter = EVERYTHING  # what is listed
    page: int = 0  # page of the list, from 0
    listed: tuple[str, ...] = ()  # pseudonyms on it
    patient: str | None = None  # who is looked at
    opened: int = 0  # how often a patient was opened: each begins with a form of its own
    said: str = ""  # what was done last
    uploads: int = 0  # how many tables were taken; each begins with an empty uploader
    judged: tuple[JudgedRow, ...] = ()  # rows of a table that waits to be entered
    notes: tuple[str, ...] = ()  # how its columns were read
    found: FoundOutcomes | None = None  # what a FHIR Bundle says, which can be judged again

    def narrow(self, wanted: Filter) -> "RegisterState":
        """Another filter begins at the first page."""
        return self if wanted == self.wanted else replace(self, wanted=wanted, page=0)

    def turn(self, step: int) -> "RegisterState":
        """Go to another page."""
        return replace(self, page=max(self.page + step, 0))

    def keep_within(self, last: int) -> "RegisterState":
        """Go back to the last page where the list has become shorter."""
        return replace(self, page=min(self.page, last))

    def draw(self, listed: tuple[str, ...]) -> "RegisterState":
        """Note who is on the page."""
        return replace(self, listed=listed)

    def open(self, patient: str | None) -> "RegisterState":
        """Look at a patient, or at none."""
        return replace(self, patient=patient, opened=self.opened + 1, said="")

    def say(self, words: str) -> "RegisterState":
        """Keep what was done."""
        return replace(self, said=words)

    def take(
        self, judged: tuple[JudgedRow, ...], notes: tuple[str, ...] = (), found: FoundOutcomes | None = None
    ) -> "RegisterState":
        """Keep a table or Bundle that was judged; an empty one forgets it."""
        return replace(self, uploads=self.uploads + 1, judged=judged, notes=notes, found=found, said="")

    def judge(self, judged: tuple[JudgedRow, ...]) -> "RegisterState":
        """Keep the same Bundle judged otherwise."""
        return replace(self, judged=judged)

"""Where a case's image comes from: an upload or a simulated patient; the session keeps neither file nor file name."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from core.imaging.uploads import HeldFile


@dataclass(frozen=True)
class Source:
    """An image as it came, before it is decoded."""

    file: HeldFile  # ticket of the file
    patient_id: str | None = None  # id of a simulated patient; None for an upload
    box: tuple[float, float, float, float] | None = None  # lesion box in pixels of the source image, where it is known
    clinical: Mapping[str, object] = field(default_factory=dict)  # clinical values, where they are known
    is_archived: bool = False  # whether it came from the archive
    item: int | None = None  # file of a zip archive that was taken as a view of its own

    @property
    def is_simulated(self) -> bool:
        """Whether it is a simulated patient."""
        return self.patient_id is not None

    @property
    def sha256(self) -> str:
        """Hash of the file."""
        return self.file.sha256

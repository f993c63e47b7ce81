"""Where a case's image comes from: an upload or a simulated patient; the session keeps neither file nor file name."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from core.imaging.uploads import HeldFile


@dataclass(frozen=True)
class Source:
    """An image as it came, before it is decoded.

    Parameters
    ----------
    file : HeldFile
        Ticket of the file.
    patient_id : str or None
        Id of a simulated patient; None for an upload.
    box : tuple of float or None
        Lesion box in pixels of the source image, where it is known.
    clinical : mapping of str to value
        Clinical values, where they are known.
    is_archived : bool
        Whether it came from the archive.
    item : int or None
        File of a zip archive that was taken as a view of its own.
    """

    file: HeldFile
    patient_id: str | None = None
    box: tuple[float, float, float, float] | None = None
    clinical: Mapping[str, object] = field(default_factory=dict)
    is_archived: bool = False
    item: int | None = None

    @property
    def is_simulated(self) -> bool:
        """Whether it is a simulated patient."""
        return self.patient_id is not None

    @property
    def sha256(self) -> str:
        """Hash of the file."""
        return self.file.sha256

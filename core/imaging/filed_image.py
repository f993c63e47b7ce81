"""What a DICOM file says of itself where a cohort is collected: whose it is, and whether it is a B-mode still."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class FiledImage:
    """A DICOM file of an archive's export; its identity is for pairing alone."""

    fault: str  # why it is no B-mode still frame; "" if it is one
    # patient_id, issuer, name, birth_date: whose it is; "" where the file does not say
    patient_id: str = field(default="", repr=False)
    issuer: str = field(default="", repr=False)
    name: str = field(default="", repr=False)
    birth_date: str = field(default="", repr=False)
    # study, instance: UIDs of study and instance
    study: str = field(default="", repr=False)
    instance: str = field(default="", repr=False)
    # study_date, accession: date (ISO) and accession number of the study
    study_date: str = field(default="", repr=False)
    accession: str = field(default="", repr=False)
    side: str = ""  # breasts that the header names: "L", "R", "LR" or ""
    pixels: str = ""  # hash of the B-mode area's grey levels; "" where it has a fault

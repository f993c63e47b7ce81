"""What people read for the columns of a cohort."""

from core.clinical import BY_NAME

NAMES = {
    "centre": "Centre",
    "aln_us": "Suspicious axillary nodes on ultrasound",
    "lnm": "Node metastasis",
    "rfs_event": "Recurrence",
    "high Ki-67": "High Ki-67",
    "prob": "Estimated probability",
    "high": "Predicted high against low",
}


def write_within(label: str) -> str:
    """Write a label within a sentence: "image alone", but "M2 (adds biopsy)"."""
    return label[:1].lower() + label[1:] if label[1:2].islower() else label


def label_variable(name: str) -> str:
    """Give a variable's name with its unit, from the data dictionary where it is there."""
    if name in NAMES or name not in BY_NAME:
        return NAMES.get(name, name)
    field = BY_NAME[name]
    return f"{field.label} ({field.unit})" if field.unit else field.label

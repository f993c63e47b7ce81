"""Column names as clinics write them, matched with the names that are known here."""

import re
from collections.abc import Container

from core.errors import TableError

ALIASES = {
    "patient_id": ("patient", "patientid", "id", "study_id", "case", "case_id", "pseudonym"),
    "image": ("file", "filename", "file_name", "path", "image_path", "image_file", "image_name"),
    "box": ("roi", "bbox", "lesion_box", "bounding_box"),
    "split": ("set", "dataset", "partition", "cohort"),
    "centre": ("center", "hospital", "site", "institution"),
    "y": ("ki67_high", "ki_67_high", "high_ki67", "label", "outcome", "truth", "ki67_status"),
    "ki67_pct": ("ki67", "ki_67", "ki_67_pct", "ki67_percent", "ki67_index"),
    "prob": ("probability", "predicted_probability", "prediction", "predicted", "risk", "prob_combined", "p_high"),
    "lnm": ("node_metastasis", "nodal_metastasis", "lymph_node_metastasis", "ln_metastasis"),
    "aln_us": ("axillary_ultrasound", "axillary_us", "aln_suspicious"),
    "rfs_months": ("rfs_time", "rfs", "follow_up_months", "followup_months", "time_months"),
    "rfs_event": ("rfs_status", "recurrence", "recurred", "event"),
}


def simplify_name(name: str) -> str:
    """Write a column's name in small letters, with one underscore for whatever is no letter or digit."""
    return re.sub(r"[^a-z0-9]+", "_", name.strip().lower()).strip("_")


def find_column(names: list[str], known: str, taken: Container[int] = ()) -> int | None:
    """Find the column that stands for a known name.

    Parameters
    ----------
    names : list of str
        Simplified names of a file's columns.
    known : str
        The name here; a column of just this name goes before one of its aliases.
    taken : container of int
        Positions that stand for another name already.

    Returns
    -------
    int or None
        Its position; None where there is none.

    Raises
    ------
    TableError
        If several columns fit.
    """
    exact = [i for i, name in enumerate(names) if name == known]
    fitting = exact or [i for i, name in enumerate(names) if name in ALIASES.get(known, ())]
    fitting = [i for i in fitting if i not in taken]
    if len(fitting) > 1:
        raise TableError(f"{len(fitting)} columns of the file fit '{known}'; rename one, or map the right one to it.")
    return fitting[0] if fitting else None

"""What an evaluation report covers of the TRIPOD+AI checklist, and what it leaves to the study's authors.

Collins et al., BMJ 2024;385:e078378; numbers and topics of the items of its checklist, in our words.
"""

from collections.abc import Iterable

import pandas as pd

from core.evaluation.cohort.survival import END_POINT
from core.figures.cohort.exhibit import Patients

END_POINTS = {"recurrence-free survival": END_POINT, "node metastasis": ("lnm",)}
YES, NO, PART = "covered", "to be written by the authors", "in part"
ITEMS = (
    ("1-2", "Title and abstract", NO, ""),
    ("3-4", "Background, setting, health inequalities, objectives", NO, ""),
    ("5", "Source of data, dates", PART, "Hash of the prediction table, at the top; dates are not in it."),
    (
        "6",
        "Participants: setting, eligibility, treatments",
        PART,
        "Centres and splits; eligibility is not in the table.",
    ),
    (
        "7",
        "Data preparation and quality checks",
        PART,
        "Rows used and refused, coding, units: at the top.",
    ),
    ("8", "Outcome and how it was assessed", PART, "Ki-67 cut-off, at the top; assessment is not in the table."),
    ("9", "Predictors", PART, "Models compared; predictors are described by the bundle's card."),
    ("10", "Sample size", PART, "n and events everywhere; patients needed for recalibration under Calibration."),
    ("11", "Missing data", YES, "Missing counts in Table 1; complete cases, their number with each figure."),
    ("12", "Analytical methods and performance measures", YES, "Methods section."),
    ("13", "Class imbalance", PART, "Prevalence; no rebalancing is done in the evaluation."),
    ("14", "Fairness", PART, "Subgroups by centre, age, size, device, as far as the table has them."),
    ("15", "Model output, classification and thresholds", YES, "Probability; threshold with its origin."),
    ("16", "Differences between development and evaluation", YES, "Table 1 by split with standardised differences."),
    ("17", "Ethical approval", NO, ""),
    ("18", "Open science: funding, protocol, data, code", NO, ""),
    ("19", "Patient and public involvement", NO, ""),
    ("20", "Flow of participants and their characteristics", YES, "Flow and Table 1."),
    ("21", "Participants and events in each analysis", YES, "n and events with each figure."),
    ("22", "Full model specification", NO, "In the bundle: heads.json and its card."),
    ("23", "Performance with confidence intervals, subgroups", YES, "All result sections."),
    ("24", "Model updating", YES, "Recalibration, under Calibration."),
    ("25-27", "Interpretation, limitations, usability", NO, ""),
)


def tabulate_checklist(splits: Iterable[Patients]) -> pd.DataFrame:
    """List the items with what the report covers of them; an end point that no split has is named as lacking."""
    table, parts = pd.DataFrame(ITEMS, columns=["Item", "Topic", "Status", "Where"]), list(splits)
    lacking = [label for label, columns in END_POINTS.items() if all(part.find_lacking(*columns) for part in parts)]
    if lacking:
        where = f"All result sections; the table has no {' and no '.join(lacking)}."
        table.loc[table["Item"] == "23", "Where"] = where
    return table

"""The codes of the Structured Report: standard ones, and those of scheme 99SONOKI where no standard has any."""

from typing import Final

from highdicom.sr.coding import CodedConcept

PRIVATE_SCHEME: Final = "99SONOKI"


def _standard(scheme: str, value: str, meaning: str) -> CodedConcept:
    return CodedConcept(value, scheme, meaning)


def _private(value: str, meaning: str) -> CodedConcept:
    return CodedConcept(value, PRIVATE_SCHEME, meaning)


PERCENT = _standard("UCUM", "%", "Percent")
NO_UNIT = _standard("UCUM", "1", "no units")
BREAST = _standard("SCT", "76752008", "Breast")
SIDES = {"L": _standard("SCT", "7771000", "Left"), "R": _standard("SCT", "24028007", "Right")}
ULTRASOUND_OF_BREAST = _standard("SCT", "47079000", "Ultrasonography of breast")
MASS = _standard("DCM", "111126", "Image detected mass")
SOURCE_IMAGE = _standard("DCM", "121322", "Source image for image processing operation")
MEASUREMENT_REPORT = _standard("DCM", "126000", "Imaging Measurement Report")
KI67 = _standard("LN", "85330-9", "Cells.Ki-67 nuclear Ag/cells in Breast cancer specimen")
OVERALL_ASSESSMENT = _standard("DCM", "111413", "Overall Assessment")
BIRADS = {
    "3": _standard("SCT", "397143007", "3 - Probably Benign"),
    "4A": CodedConcept("MA.II.A.5.4A", "BI", "4A - Low suspicion", "4.0"),
    "4B": CodedConcept("MA.II.A.5.4B", "BI", "4B - Intermediate suspicion", "4.0"),
    "4C": CodedConcept("MA.II.A.5.4C", "BI", "4C - Moderate suspicion", "4.0"),
    "5": _standard("SCT", "397145000", "5 - Highly suggestive of malignancy"),
}

PROBABILITY = _private("KI67-P", "Estimated probability that Ki-67 is high")
PROBABILITY_OF_VIEW = _private("KI67-P-VIEW", "Estimated probability that Ki-67 is high, from this view alone")
SHARE_OF_VIEW = _private("KI67-SHARE-VIEW", "Share of this view in the log-odds of the estimate")
PROBABILITY_LOW = _private("KI67-P-LOW", "Lower limit of the 95 % interval of the probability")
PROBABILITY_HIGH = _private("KI67-P-HIGH", "Upper limit of the 95 % interval of the probability")
THRESHOLD = _private("KI67-THRESHOLD", "Probability from which Ki-67 is called high")
CUTOFF = _private("KI67-CUTOFF", "Ki-67 that is called high, share of stained cells")

QUANTITY = _private("QUANTITY", "Quantity that the estimate is about")
CALL = _private("KI67-CALL", "Side of the threshold")
CALLS = {
    "high": _private("KI67-HIGH", "Estimate at or above the threshold"),
    "low": _private("KI67-LOW", "Estimate below the threshold"),
    "none": _private("KI67-NO-CALL", "Indeterminate: estimate too close to the threshold"),
}
FITNESS = _private("FITNESS", "Whether the image suits the model")
FITNESSES = {
    "ok": _private("FIT", "The image suits the model"),
    "caution": _private("FIT-CAUTION", "With caution: see the report for the reasons"),
}
USE = _private("USE", "Intended use")
RESEARCH_USE = _private("RESEARCH", "Research use only; not a medical device")
TRAINING_DATA = _private("TRAINING", "Patients that the model was trained on")
SIMULATED = _private("SIMULATED", "Simulated: figures say nothing about a real patient")
CLINICAL = _private("CLINICAL", "Clinical patients")

"""The data dictionary: one table that the form, the table reader, the simulated cohort and its own README all read."""

import datetime
from dataclasses import dataclass
from typing import Literal

Kind = Literal["text", "date", "choice", "number", "integer"]
Value = str | float | int | datetime.date
Available = Literal["T0 before biopsy", "T1 after biopsy", "T2 after surgery", "T3 follow-up"]
T0: Available = "T0 before biopsy"
T1: Available = "T1 after biopsy"
T2: Available = "T2 after surgery"
T3: Available = "T3 follow-up"


@dataclass(frozen=True)
class Field:
    """One column of a cohort and, where it is a predictor, one entry of the form.

    Parameters
    ----------
    name : str
        Column name.
    label : str
        What a reader sees.
    kind : {"text", "date", "choice", "number", "integer"}
        Type of the value.
    available_at : str
        When the value is known; only T0 may enter model M1.
    role : str
        Predictor, comparator, end point, descriptor, quality control.
    levels : tuple of str
        Allowed levels of a choice, in order.
    low, high : float or None
        Allowed range, inclusive, in `unit`.
    unit : str
        Unit of a number.
    codes : str
        DICOM, SNOMED CT, LOINC or RadElement codes.
    note : str
        Help for the person who fills it in.
    """

    name: str
    label: str
    kind: Kind
    available_at: Available
    role: str
    levels: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None
    unit: str = ""
    codes: str = ""
    note: str = ""

    def describe_values(self) -> str:
        """Say in a few words which values are allowed."""
        if self.levels:
            return ", ".join(self.levels)
        if self.low is not None and self.high is not None:
            return f"{self.low:g} to {self.high:g} {self.unit}".strip()
        return {"date": "YYYY-MM-DD"}.get(self.kind, self.kind)


def _choice(name: str, label: str, at: Available, role: str, levels: str, codes: str = "", note: str = "") -> Field:
    return Field(name, label, "choice", at, role, tuple(levels.split("|")), codes=codes, note=note)


def _number(  # noqa: PLR0913 - a row of the table
    name: str,
    label: str,
    at: Available,
    role: str,
    bounds: tuple[float, float],
    unit: str = "",
    *,
    kind: Kind = "number",
    codes: str = "",
    note: str = "",
) -> Field:
    return Field(name, label, kind, at, role, (), bounds[0], bounds[1], unit, codes, note)


def _date(name: str, label: str, at: Available, role: str, note: str = "") -> Field:
    return Field(name, label, "date", at, role, note=note)


BOTH = "predictor M1, M2"
FIELDS: tuple[Field, ...] = (
    Field("patient_id", "Pseudonymous study id", "text", T0, "key", note="Never a hospital number; prefix per centre"),
    Field("centre", "Centre", "text", T0, "grouping, never a predictor"),
    _date("exam_date", "Date of the ultrasound", T0, "quality control", "Must come before the biopsy"),
    _date(
        "biopsy_date",
        "Date of the core biopsy",
        T1,
        "quality control",
        "An examination after the biopsy shows its haematoma or clip and is excluded",
    ),
    _choice("laterality", "Side", T0, "descriptor", "left|right", "SCT 80248007, 73056007 (CID 6022)"),
    _number("clock", "Clock position", T0, "descriptor", (1, 12), "h", kind="integer", codes="RDE1558"),
    _number("distance_nipple_cm", "Distance from the nipple", T0, "descriptor", (0, 20), "cm", codes="DCM 121242"),
    _number("age", "Age", T0, BOTH, (18, 100), "years", note="At the ultrasound examination"),
    _choice(
        "menopausal", "Menopausal status", T0, BOTH, "pre|peri|post", "SCT 309606002, 303111005, 307429007 (CID 6086)"
    ),
    _choice("family_history", "Breast or ovarian cancer in a first-degree relative", T0, "descriptor", "yes|no"),
    _choice("palpable", "Palpable mass", T0, BOTH, "yes|no", "SCT 89164003 (CID 6055)"),
    _number("size_mm", "Largest diameter on ultrasound", T0, BOTH, (3, 120), "mm", codes="SCT 103339001 (CID 6165)"),
    _number("size_ap_mm", "Antero-posterior diameter", T0, "descriptor", (2, 80), "mm", codes="SCT 103340004"),
    _choice(
        "background",
        "Background echotexture",
        T0,
        "descriptor",
        "homog_fat|homog_fibroglandular|heterogeneous",
        "DCM 111351, 111352, 111353 (CID 6151)",
    ),
    _choice("shape", "Shape", T0, "candidate", "oval|round|irregular", "SCT 84360004, 42700002, 49608001 (CID 6005)"),
    _choice("orientation", "Orientation", T0, "candidate", "parallel|not_parallel", "DCM 111355, 111356 (CID 6152)"),
    _choice(
        "margin",
        "Margin, the worst one",
        T0,
        "candidate",
        "circumscribed|indistinct|angular|microlobulated|spiculated",
        "SCT 129738007, 129741003, DCM 111343, SCT 129739004, 129742005 (CID 6007)",
    ),
    _choice("rind", "Echogenic rind", T0, "candidate", "absent|present", "DCM 111358, 111359 (CID 6153)"),
    _choice(
        "echo",
        "Echo pattern",
        T0,
        "candidate",
        "anechoic|hyperechoic|complex_cystic_solid|hypoechoic|isoechoic|heterogeneous",
        "DCM 111361 to 111365 (CID 6154); heterogeneous has no code there",
    ),
    _choice(
        "posterior",
        "Posterior features",
        T0,
        "candidate",
        "none|enhancement|shadowing|combined",
        "DCM 111367 to 111370 (CID 6155)",
    ),
    _choice(
        "calcification",
        "Calcifications",
        T0,
        "candidate",
        "none|in_mass|outside_mass|intraductal",
        "DCM 111346, 111347 (CID 6012, 6013)",
    ),
    _choice(
        "vascularity", "Vascularity", T0, "candidate", "absent|internal|rim", "DCM 111373, 111375, 111376 (CID 6157)"
    ),
    _choice("adler", "Adler blood-flow grade", T0, BOTH, "0|1|2|3", note="On colour Doppler; 0 none to 3 rich"),
    _choice("elasticity", "Elasticity", T0, "optional", "soft|intermediate|hard", "DCM 110830"),
    _choice(
        "birads",
        "BI-RADS category before biopsy",
        T0,
        BOTH,
        "3|4A|4B|4C|5",
        note="Category 6 is refused: it says that the diagnosis is known",
    ),
    _choice("aln_visible", "Axillary node seen", T0, "descriptor", "yes|no", "SCT 68171009"),
    _number("aln_cortex_mm", "Cortex of the axillary node", T0, "candidate", (0.5, 20), "mm"),
    _choice("aln_hilum", "Fatty hilum of the axillary node", T0, "candidate", "preserved|effaced|absent"),
    _choice("aln_focal", "Focal bulge of the node's cortex", T0, "candidate", "yes|no"),
    _choice(
        "aln_suspicious",
        "Axillary nodes on ultrasound",
        T0,
        BOTH,
        "negative|suspicious",
        "SCT 127189005",
        note="Suspicious: cortex of 3 mm or more, or the fatty hilum lost",
    ),
    _number("ca153", "Serum CA 15-3", T0, "optional", (0, 5000), "U/mL"),
    Field(
        "image_device",
        "Ultrasound device",
        "text",
        T0,
        "quality control, never a predictor",
        codes="(0008,0070), (0008,1090), (0018,6031)",
    ),
    _number("image_scale", "Image scale", T0, "quality control", (0.005, 1.0), "mm per pixel", codes="(0018,6011)"),
    _choice("histology", "Histological type", T1, "candidate M2", "IDC-NST|ILC|other"),
    _choice("grade_cnb", "Nottingham grade on core", T1, "predictor M2", "1|2|3"),
    _number("er_pct", "Oestrogen receptor on core", T1, "predictor M2", (0, 100), "%", codes="LOINC 85329-1"),
    _number("pr_pct", "Progesterone receptor on core", T1, "predictor M2", (0, 100), "%", codes="LOINC 85339-0"),
    _choice("her2", "HER2 on core", T1, "predictor M2", "0|1+|2+/ISH-|2+/ISH+|3+", "LOINC 85319-2, 85318-4"),
    _number("ki67_cnb_pct", "Ki-67 on core", T1, "comparator, never a predictor", (0, 100), "%", codes="LOINC 85330-9"),
    _number("ki67_pct", "Ki-67 on surgical specimen", T2, "reference standard", (0, 100), "%", codes="LOINC 85330-9"),
    _choice("ki67_specimen", "Specimen of the reference", T2, "quality control", "surgical|core"),
    _choice("pt", "pT", T2, "descriptor", "Tis|T1mi|T1a-c|T2|T3|T4", "CID 6160"),
    _choice("pn", "pN", T2, "end point: node metastasis is N1mi or more", "N0|N0(i+)|N1mi|N1|N2|N3", "CID 6161"),
    _number("nodes_removed", "Nodes removed", T2, "quality control", (0, 60), kind="integer", codes="DCM 111473"),
    _number("nodes_positive", "Nodes positive", T2, "end point", (0, 60), kind="integer", codes="DCM 111474"),
    _choice("lvi", "Lymphovascular invasion", T2, "descriptor", "yes|no"),
    _date("surgery_date", "Date of the operation", T2, "time zero of follow-up"),
    _choice("neoadjuvant", "Neoadjuvant therapy", T2, "exclusion", "yes|no", note="Changes Ki-67 and pN"),
    _number("rfs_months", "Recurrence-free survival", T3, "end point", (0, 600), "months"),
    _number("rfs_event", "Recurrence", T3, "end point", (0, 1), kind="integer"),
    _date("last_followup", "Last follow-up", T3, "quality control"),
)
BY_NAME: dict[str, Field] = {field.name: field for field in FIELDS}
M1_PREDICTORS: tuple[str, ...] = tuple(f.name for f in FIELDS if f.role == BOTH)
M2_PREDICTORS: tuple[str, ...] = M1_PREDICTORS + tuple(f.name for f in FIELDS if f.role == "predictor M2")

"""Every feature by Ki-67 group against the specification's table, and BI-RADS against its own range."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from statsmodels.stats.proportion import proportion_confint

from core.simulation import simulate_cohort

SPECIFIED = pd.read_csv(Path(__file__).parent / "cases" / "feature_table_by_ki67.csv", index_col="variable")
PATIENTS = {"high_Ki67_%": 312, "low_Ki67_%": 348}
COLUMNS = {
    "age < 50": lambda t: t["age"] < 50,
    "postmenopausal": lambda t: t["menopausal"] == "post",
    "size > 20 mm": lambda t: t["size_mm"] > 20,
    "palpable": lambda t: t["palpable"] == "yes",
    "US-ALN suspicious": lambda t: t["aln_suspicious"] == "suspicious",
    "cortex >= 3 mm": lambda t: t["aln_cortex_mm"].astype(float) >= 3,
    "margin spiculated": lambda t: t["margin"] == "spiculated",
    "margin angular": lambda t: t["margin"] == "angular",
    "margin microlobulated": lambda t: t["margin"] == "microlobulated",
    "margin indistinct": lambda t: t["margin"] == "indistinct",
    "margin circumscribed": lambda t: t["margin"] == "circumscribed",
    "posterior shadowing": lambda t: t["posterior"] == "shadowing",
    "posterior none": lambda t: t["posterior"] == "none",
    "posterior combined": lambda t: t["posterior"] == "combined",
    "posterior enhancement": lambda t: t["posterior"] == "enhancement",
    "not parallel": lambda t: t["orientation"] == "not_parallel",
    "irregular shape": lambda t: t["shape"] == "irregular",
    "calcification in mass": lambda t: t["calcification"] == "in_mass",
    "echogenic rind": lambda t: t["rind"] == "present",
    "heterogeneous echo": lambda t: t["echo"] == "heterogeneous",
    "Adler 2-3": lambda t: t["adler"].isin(["2", "3"]),
    "grade 3": lambda t: t["grade_cnb"] == "3",
    "ER negative": lambda t: t["er_pct"] == 0,
    "HER2 positive": lambda t: t["her2"].isin(["3+", "2+/ISH+"]),
    "triple negative": lambda t: t["receptor"] == "TN",
    "LNM (pN+)": lambda t: t["lnm"] == 1,
    "LVI": lambda t: t["lvi"] == "yes",
}


@pytest.fixture(scope="module")
def many() -> pd.DataFrame:
    return simulate_cohort(12_000, 3).table


@pytest.mark.parametrize("feature", COLUMNS)
def test_a_feature_lies_within_the_confidence_band_of_the_specification(many: pd.DataFrame, feature: str) -> None:
    """Wilson's 95 % interval of the specified share at the size of the cohort."""
    present, high = COLUMNS[feature](many), many["ki67_pct"] >= 20
    for column, group in (("high_Ki67_%", high), ("low_Ki67_%", ~high)):
        n, share = PATIENTS[column], SPECIFIED.loc[feature, column] / 100
        low, top = proportion_confint(share * n, n, method="wilson")
        assert low <= present[group].mean() <= top, column


def test_every_row_but_those_of_birads_is_tested() -> None:
    assert [name for name in SPECIFIED.index if name not in COLUMNS] == [
        f"BI-RADS {c}" for c in ("3", "4A", "4B", "4C", "5")
    ]


def test_ki67_rises_a_little_with_the_birads_category(many: pd.DataFrame) -> None:
    step = many["birads"].map({"3": 0, "4A": 1, "4B": 2, "4C": 3, "5": 4}).dropna().astype(float)
    high = (many["ki67_pct"] >= 20).loc[step.index].astype(float)
    slope = sm.Logit(high, sm.add_constant(step)).fit(disp=0).params.iloc[1]
    assert 1.0 <= np.exp(slope) <= 1.3

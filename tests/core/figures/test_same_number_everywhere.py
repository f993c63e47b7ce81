"""A number is the same, with the same interval, wherever a page writes it."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from core.evaluation import ThresholdResult
from core.evaluation.estimate import write_p
from core.figures.cohort.calibration import CalibrationExhibit, explain_slope
from core.figures.cohort.correction import RecalibrationExhibit
from core.figures.cohort.exhibit import Patients
from core.figures.cohort.lymph_nodes import NodeRatesExhibit
from core.figures.cohort.subgroups import SubgroupsExhibit
from core.figures.cohort.table_one import TableOneExhibit

N = 240


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    rng = np.random.default_rng(4)
    signal = rng.normal(size=N)
    high = (rng.uniform(size=N) < expit(signal)).astype(float)
    return pd.DataFrame(
        {
            "split": np.repeat(["train", "test"], N // 2),
            "y": high,
            "prob": expit(1.5 * signal),
            "lnm": (rng.uniform(size=N) < 0.2 + 0.4 * high).astype(float),
            "size_mm": rng.uniform(8, 60, N),
            "age": rng.uniform(30, 80, N),
        }
    )


def make(table: pd.DataFrame, *, is_development: bool = False) -> Patients:
    return Patients(table, table, "the test", ThresholdResult(0.5, "given"), is_development=is_development)


@pytest.mark.parametrize("is_development", [True, False])
def test_calibration_before_an_update_is_the_one_above_it(table, is_development):
    patients = make(table, is_development=is_development)
    above = CalibrationExhibit.of(patients).tables()["Figures of calibration with their intervals"]
    update = RecalibrationExhibit.of(patients).tables()["Calibration before and after the update"]
    assert list(update["Before"]) == list(above[above.columns[1]])
    assert not update.iloc[:, 2].str.contains("no interval").any()


def test_a_slope_below_0_is_not_called_one_that_an_update_mends():
    text = explain_slope((-1.4, -0.6))
    assert "coded the other way round" in text
    assert "update" not in text


def test_the_least_p_value_of_subgroups_is_written_as_in_their_table(table):
    shown = SubgroupsExhibit.of(make(table))
    least = write_p(shown.result.table["p_holm"].min())
    assert least in shown.sentence()
    rows = next(iter(shown.tables().values()))
    assert least in set(rows["Against the rest; Holm"])
    assert {"Age (years)", "Largest diameter on ultrasound (mm)"} <= set(rows["Family"])


def test_an_interval_that_begins_left_of_the_forest_widens_it(table):
    turned = table.assign(prob=1 - table["prob"])
    shown = SubgroupsExhibit.of(make(turned))
    assert shown.figure().layout.xaxis.range[0] < shown.result.table["ci_low"].min() < 0.3


def test_the_difference_of_node_rates_has_the_unit_of_the_rates(table):
    shown = NodeRatesExhibit.of(make(table))
    assert f"percentage points: {100 * shown.result.difference:.1f} (95 % CI " in shown.notes()[0]


def test_table_1_names_the_splits_as_the_pages_do(table):
    shown = next(iter(TableOneExhibit.of(make(table.assign(age=table["age"].mask(table.index < 3)))).tables().values()))
    assert [name for name in shown if ", n = " in name] == ["Training, n = 120", "Internal test, n = 120"]
    assert "Training 3" in set(shown["Missing"])

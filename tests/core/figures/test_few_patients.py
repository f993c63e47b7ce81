"""What rests on few events, few subgroups or several models says so."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from core.evaluation import ThresholdResult, compute_cox
from core.figures.cohort.calibration import CalibrationExhibit
from core.figures.cohort.centres import CentresExhibit
from core.figures.cohort.decision_curve import GainExhibit
from core.figures.cohort.exhibit import Exhibit, Patients
from core.figures.cohort.lymph_nodes import NodeRatesExhibit, NodeRocExhibit
from core.figures.cohort.roc import RocExhibit
from core.figures.cohort.subgroups import SubgroupsExhibit
from core.figures.cohort.survival.kaplan_meier import KaplanMeierExhibit
from core.figures.cohort.survival.recurrence import CoxExhibit

N = 120


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    rng = np.random.default_rng(6)
    signal = rng.normal(size=N)
    return pd.DataFrame(
        {
            "split": "external",
            "centre": np.tile(["A", "B", "C"], N // 3),
            "y": (rng.uniform(size=N) < expit(signal)).astype(float),
            "prob": expit(signal),
            "prob_image": expit(signal / 2),
            "lnm": (rng.uniform(size=N) < 0.4).astype(float),
            "rfs_months": rng.uniform(2, 50, N),
            "rfs_event": (rng.uniform(size=N) < 0.7).astype(float),
        }
    )


def make(kind: type[Exhibit], table: pd.DataFrame) -> Exhibit:
    return kind.of(Patients(table, table, "the external test", ThresholdResult(0.5, "given")))


@pytest.mark.parametrize(
    ("kind", "column"),
    [(CalibrationExhibit, "y"), (NodeRocExhibit, "lnm"), (CoxExhibit, "rfs_event")],
)
def test_figures_of_few_events_are_called_unstable(table, kind, column):
    few = table.assign(**{column: (table.index < 4).astype(float)})
    assert any("fewer than 10 patients of the rarer outcome (4)" in line for line in make(kind, few).cautions())
    assert not any("fewer than 10 patients" in line for line in make(kind, table).cautions())


def test_the_extremes_of_subgroups_have_their_n(table):
    shown = make(SubgroupsExhibit, table)
    least = shown.result.table.iloc[1:].sort_values("auc").iloc[0]
    assert f"{least['auc']:.3f} ({least['level']}, n = {least['n']})" in shown.sentence()


def test_a_table_without_subgroups_says_what_would_make_them(table):
    assert "no centre, age, size or device" in make(SubgroupsExhibit, table.drop(columns="centre")).sentence()


def test_centres_without_a_mean_say_so_with_n(table):
    assert "(n = 120): AUC 0." in make(CentresExhibit, table).sentence()
    assert "(n = 120) no mean" in make(CentresExhibit, table.assign(y=0.0)).sentence()


def test_the_gain_says_where_its_band_leaves_0(table):
    shown = make(GainExhibit, table)
    above = int((shown.result.table["ci_low"] > 0).sum())
    assert f"lies above 0 at {above} and below 0 at" in shown.sentence()


def test_medians_have_their_intervals(table):
    shown = make(KaplanMeierExhibit, table)
    row = shown.result.kaplan_meier.medians.iloc[0]
    cell = shown.tables()["Patients, events, median and mean by group"]["Median, months (95 % CI)"].iloc[0]
    assert cell == f"{row['median']:.1f} ({row['ci_low']:.1f} to {row['ci_high']:.1f})"


@pytest.mark.parametrize(("cuts", "cut"), [((), 0.5), ((0.3, 0.6), 0.5), ((0.4,), 0.4)])
def test_cox_models_say_where_their_groups_are_cut(table, cuts, cut):
    patients = Patients(table, table, "the external test", ThresholdResult(0.5, "given"))
    shown = CoxExhibit.of(patients, cuts=cuts)
    assert shown.notes() == [f"In the Cox models high is a probability of {cut:.3f} or more."]
    assert shown.record()["survival"]["cox_cut"] == cut


def test_the_file_of_a_roc_figure_has_every_curve_drawn(table):
    data = make(RocExhibit, table).data()
    assert list(data["score"].unique()) == ["Model", "Image alone"]


def test_terms_that_separate_are_named_as_people_read_them():
    time, event = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0], [1, 1, 1, 0, 0, 0]
    assert "Node metastasis separates" in compute_cox(time, event, {"lnm": event}).reason


def test_node_rates_of_a_usual_cohort_have_no_caution(table):
    assert make(NodeRatesExhibit, table).cautions() == []

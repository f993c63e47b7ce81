"""Evaluation figures: what they draw, what they say, and their SVG and PNG."""

import io
import xml.etree.ElementTree as ET

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from scipy.special import expit

from core.evaluation import (
    ThresholdResult,
    compute_calibration,
    compute_confusion,
    compute_decision_curve,
    compute_kaplan_meier,
    compute_lymph_nodes,
    compute_net_benefit_difference,
    compute_roc,
    compute_subgroups,
)
from core.evaluation.estimate import write_estimate, write_p
from core.figures.cohort.calibration import CalibrationExhibit
from core.figures.cohort.decision_curve import KI67_RANGE, MEASURES, BenefitExhibit, GainExhibit
from core.figures.cohort.exhibit import Patients
from core.figures.cohort.lymph_nodes import NodeRatesExhibit, NodeRocExhibit
from core.figures.cohort.roc import RocExhibit
from core.figures.cohort.subgroups import SubgroupsExhibit
from core.figures.cohort.survival.kaplan_meier import KaplanMeierExhibit, draw_kaplan_meier
from core.figures.rendering import render_png, render_svg
from core.figures.wording import thin_rows

GENERATOR = np.random.default_rng(9)
N = 200
SIGNAL = GENERATOR.normal(size=N)
PROB = expit(SIGNAL)
Y = (GENERATOR.uniform(size=N) < PROB).astype(float)
OTHER = expit(SIGNAL / 2 + GENERATOR.normal(size=N) / 2)
TIME = GENERATOR.exponential(40, N).round(1).clip(0.1)
EVENT = (GENERATOR.uniform(size=N) < 0.5).astype(float)
GROUP = np.where(PROB >= 0.5, "high", "low")


GRID = np.arange(1, 100) / 100
COHORT, THRESHOLD = "the external test", ThresholdResult(0.5, "given")


def make_roc():
    return RocExhibit(COHORT, {"Model": compute_roc(Y, PROB)}, THRESHOLD, compute_confusion(Y, PROB, 0.5))


def make_benefit(grid=GRID, **options):
    return BenefitExhibit(COHORT, compute_decision_curve(Y, {"model": PROB}, grid), KI67_RANGE, **options)


def find(figure, name):
    return next(trace for trace in figure.data if trace.name == name)


@pytest.fixture(scope="module")
def survival():
    return compute_kaplan_meier(TIME, EVENT, GROUP, times=[0, 24, 48])


@pytest.fixture(scope="module")
def figures(survival):
    return {
        "roc": make_roc().figure(),
        "calibration": CalibrationExhibit(COHORT, compute_calibration(Y, PROB)).figure(),
        "decision curve": make_benefit(np.arange(1, 20) / 20, threshold=0.5).figure(),
        "difference": GainExhibit(
            COHORT, compute_net_benefit_difference(Y, PROB, OTHER, [0.3, 0.5], n_boot=20), "other"
        ).figure(),
        "survival": draw_kaplan_meier(survival),
        "nodes": NodeRatesExhibit(COHORT, compute_lymph_nodes(Y, PROB, 0.5)).figure(),
        "forest": SubgroupsExhibit(COHORT, compute_subgroups(Y, PROB, {"half": np.arange(N) % 2})).figure(),
    }


def test_roc_runs_corner_to_corner_with_the_operating_point_on_it():
    roc, point = compute_roc(Y, PROB), compute_confusion(Y, PROB, 0.5)
    figure = RocExhibit(COHORT, {"Model": roc, "Other": compute_roc(Y, OTHER)}, confusion=point).figure()
    curve = find(figure, f"Model: AUC {roc.auc:.3f}")
    assert (curve.x[0], curve.y[0], curve.x[-1], curve.y[-1]) == (0, 0, 1, 1)
    mark = find(figure, "Threshold 0.500")
    assert mark.y[0] == point.metrics.loc["sensitivity", "value"]
    assert mark.x[0] == pytest.approx(1 - point.metrics.loc["specificity", "value"])
    assert any(trace.name.startswith("Other: AUC") and trace.line.dash != curve.line.dash for trace in figure.data)


def test_a_roc_that_can_not_be_drawn_keeps_the_axes_and_says_why():
    nothing = RocExhibit(COHORT, {"Model": compute_roc([1, 1, 1], [0.1, 0.2, 0.3])})
    assert [trace.name for trace in nothing.figure().data] == ["Chance"]
    assert nothing.sentence().startswith("In the external test the AUC was not estimable: All 3")


def test_a_roc_is_square_on_the_screen_and_on_paper(figures):
    assert figures["roc"].layout.yaxis.scaleanchor == "x"
    picture = np.asarray(Image.open(io.BytesIO(render_png(figures["roc"], scale=1))).convert("L"))
    axis = picture[:, : picture.shape[1] * 9 // 10] < 240
    height, width = axis.sum(axis=0).max(), axis.sum(axis=1).max()
    assert height == pytest.approx(width, rel=0.05)


def test_roc_in_words():
    text = make_roc().sentence()
    roc = compute_roc(Y, PROB)
    assert text.startswith(f"In the external test the AUC was {roc.auc:.3f} (95 % CI {roc.auc_ci[0]:.3f} to")
    assert f"n = 200, {int(Y.sum())} events" in text
    assert "At a threshold of 0.500: sensitivity" in text


def test_calibration_shows_deciles_band_and_histogram():
    calibration = compute_calibration(Y, PROB)
    exhibit = CalibrationExhibit(COHORT, calibration)
    figure = exhibit.figure()
    deciles = find(figure, "Deciles")
    assert list(deciles.y) == calibration.bins["observed"].tolist()
    np.testing.assert_allclose(deciles.y + deciles.error_y.array, calibration.bins["ci_high"])
    band = find(figure, "95 % band")
    assert min(band.y) >= 0
    assert max(band.y) <= 1
    assert sum(find(figure, "Events").y) == Y.sum()
    assert sum(find(figure, "Non-events").y) == Y.sum() - N
    assert "slope" in exhibit.sentence()
    assert "n = 200" in exhibit.sentence()


def test_calibration_without_a_curve_is_still_drawn():
    exhibit = CalibrationExhibit(COHORT, compute_calibration([0, 1, 0], [0.2, 0.2, 0.2]))
    assert "Loess" not in [trace.name for trace in exhibit.figure().data]
    assert "not estimable" in exhibit.sentence()


def test_decision_curve_always_shows_treating_all_and_none_in_the_stated_range():
    exhibit = make_benefit(threshold=0.4)
    figure = exhibit.figure()
    assert [trace.name for trace in figure.data] == ["Treat all", "Treat none", "Model", "Threshold 0.400"]
    assert (min(figure.data[2].x), max(figure.data[2].x)) == (0.2, 0.7)
    assert set(find(figure, "Threshold 0.400").x) == {0.4}
    assert set(find(figure, "Treat none").y) == {0}
    assert "of 51 thresholds; n = 200 complete patients" in exhibit.sentence()


def test_survival_is_drawn_in_steps_with_ticks_and_aligned_numbers(survival):
    figure = draw_kaplan_meier(survival)
    high = find(figure, "High")
    assert high.line.shape == "hv"
    assert (high.x[0], high.y[0]) == (0, 1)
    ticks = find(figure, "high: censored")
    curve = survival.curve[(survival.curve["group"] == "high") & (survival.curve["censored"] > 0)]
    assert list(ticks.y) == curve["survival"].tolist()
    numbers = find(figure, "high: at risk")
    assert (numbers.yaxis, list(numbers.x)) == ("y2", [0, 24, 48])
    assert list(numbers.text) == [str(n) for n in survival.at_times.query("group == 'high'")["at_risk"]]
    assert figure.layout.yaxis2.anchor == "x"
    assert list(figure.layout.yaxis2.ticktext) == ["High", "Low"]


def test_survival_in_words():
    table = pd.DataFrame({"prob": PROB, "rfs_months": TIME, "rfs_event": EVENT})
    text = KaplanMeierExhibit.of(Patients(table, table, COHORT, THRESHOLD)).sentence()
    assert f"high: n = {(GROUP == 'high').sum()}" in text
    assert "event-free at" in text
    assert "Log-rank p" in text
    calm = table.assign(rfs_event=0.0)
    none = KaplanMeierExhibit.of(Patients(calm, calm, COHORT, THRESHOLD)).sentence()
    assert "No log-rank test: No events." in none


def test_node_curves_stand_beside_the_binary_predictors():
    exhibit = NodeRocExhibit(COHORT, compute_lymph_nodes(Y, PROB, 0.5, head=OTHER, ultrasound=Y))
    figure = exhibit.figure()
    names = [trace.name for trace in figure.data]
    assert names[-2:] == ["Predicted Ki-67 group", "Axillary ultrasound"]
    assert (figure.data[-1].x[0], figure.data[-1].y[0]) == (0, 1)
    assert "Node model, with axillary ultrasound 0." in exhibit.sentence()
    assert list(exhibit.data()["score"].unique()) == list(exhibit.curves)


@pytest.mark.parametrize("measure", MEASURES)
def test_each_measure_of_a_decision_curve_is_drawn(measure):
    exhibit = make_benefit(measure=measure)
    figure, result = exhibit.figure(), exhibit.result
    rows = result.table[(result.table["model"] == "model") & result.table["threshold"].between(0.2, 0.7)]
    np.testing.assert_array_equal(figure.data[2].y, rows[measure])
    assert figure.layout.yaxis.title.text == MEASURES[measure]


def test_nodes_show_rates_with_counts():
    result = compute_lymph_nodes(Y, PROB, 0.5)
    exhibit = NodeRatesExhibit(COHORT, result)
    figure = exhibit.figure()
    assert [trace.y[0] for trace in figure.data] == result.rates["rate"].tolist()
    assert figure.data[0].x[0] == f"High<br>{result.rates['events'][0]} of {result.rates['n'][0]}"
    assert "in the high group" in exhibit.sentence()
    assert "n = 200" in exhibit.sentence()


def test_forest_lists_every_subgroup_even_without_an_estimate():
    label = np.where(np.arange(N) < 2, "two", "rest")
    y = Y.copy()
    y[:2] = 1
    exhibit = SubgroupsExhibit(COHORT, compute_subgroups(y, PROB, {"label": label}))
    figure = exhibit.figure()
    assert list(figure.layout.yaxis.ticktext)[1:] == [f"rest ({int(y[2:].sum())} / 198)", "two (2 / 2)"]
    assert np.isnan(figure.data[0].x[2])
    assert "1 subgroup without an estimate" in exhibit.sentence()


@pytest.mark.parametrize("name", ["roc", "calibration", "decision curve", "difference", "survival", "nodes", "forest"])
def test_svg_is_whole_and_the_same_every_time(figures, name):
    svg = render_svg(figures[name])
    root = ET.fromstring(svg)
    assert root.tag.endswith("svg")
    assert len(root.findall(".//{http://www.w3.org/2000/svg}path")) > 5
    assert svg == render_svg(figures[name])


def test_png_has_the_asked_size(figures):
    picture = Image.open(io.BytesIO(render_png(figures["roc"], width=600, scale=2)))
    assert picture.width == 1200


def test_long_curves_are_thinned_for_the_screen_but_keep_their_ends():
    roc = compute_roc(np.tile([0, 1], 5000), np.random.default_rng(0).uniform(size=10_000))
    thin = thin_rows(roc.curve)
    assert len(thin) == 1000
    assert thin.iloc[[0, -1]]["tpr"].tolist() == [0, 1]
    assert sum(len(trace.x) for trace in RocExhibit(COHORT, {"Model": roc}).figure().data) < 4000


def test_numbers_in_words():
    assert write_estimate(0.8281, (0.7612, 0.8899), digits=2) == "0.83 (95 % CI 0.76 to 0.89)"
    assert write_estimate(None, None) == "not estimable"
    assert write_estimate(1.0, None, "One patient.", digits=2) == "1.00 (no interval: One patient)"
    assert write_estimate(0.5, (0.4, 0.6), level=0.9, percent=True) == "50.0 % (90 % CI 40.0 to 60.0 %)"
    assert write_estimate(float("nan"), None, "No event.", level=None) == "not estimable: No event"
    assert (write_p(0.00001), write_p(0.0411), write_p(0.25), write_p(None)) == (
        "p < 0.001",
        "p = 0.041",
        "p = 0.25",
        "p not estimable",
    )


def test_no_figure_is_written_as_minus_zero():
    assert write_estimate(-0.0004, (-0.0001, 0.5)) == "0.000 (95 % CI 0.000 to 0.500)"

"""The evaluation pages: their numbers are those of the command line; filters and threshold hold on all of them."""

import os
import re
import subprocess
import sys
from html import unescape
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from core.cohort import read_predictions
from core.evaluation.estimate import write_estimate
from core.figures.cohort.evaluate import evaluate_cohort
from core.figures.wording import word_count
from tests.pages.cohorts import COHORT, encode, make_table, upload, words

PAGES = {
    "Discrimination": "pages/3_Discrimination.py",
    "Calibration": "pages/4_Calibration.py",
    "Decision curve": "pages/5_Decision_curve.py",
    "Survival": "pages/6_Survival.py",
    "Lymph nodes": "pages/7_Lymph_nodes.py",
}


@pytest.fixture
def at(open_page) -> AppTest:
    """A session with an uploaded cohort that has every end point."""
    return upload(open_page(COHORT), encode(make_table()))


def read_table(at: AppTest, index: int) -> dict[str, str]:
    table = at.table[index].value
    return dict(zip(table.iloc[:, 0], table.iloc[:, 1], strict=True))


def write(value: float, interval: list[float]) -> str:
    return f"{value:.3f} ({interval[0]:.3f} to {interval[1]:.3f})"


@pytest.mark.parametrize("name", PAGES)
def test_each_page_opens_on_the_bundles_cohort(open_page, name):
    at = open_page(PAGES[name])
    assert not at.exception
    assert not at.error
    text = words(at)
    assert "30 of 120 patients of the simulated cohort" in text
    if name in {"Survival", "Lymph nodes"}:
        assert "The table has no values in" in text
    else:
        assert "the external test of the simulated cohort" in text
        assert "n = 30" in text


@pytest.mark.parametrize("name", PAGES)
def test_each_page_says_where_to_get_a_cohort(open_page, use_bundle, tmp_path, name):
    at = open_page(PAGES[name])
    use_bundle(tmp_path)
    at.run()
    assert not at.exception
    assert "There is no cohort yet" in words(at)


def test_the_pages_show_the_numbers_of_evaluate(at):
    expected = evaluate_cohort(read_predictions(encode(make_table())).table)["external"]
    at.switch_page(PAGES["Discrimination"]).run()
    roc, confusion = expected["discrimination"], expected["confusion"]
    models = next(table.value for table in at.table if "AUC (95 % CI)" in table.value)
    assert models["AUC (95 % CI)"][0] == write(roc["auc"], roc["auc_ci"])
    comparison = expected["comparisons"][0]
    assert models["Model minus it"][1] == write_estimate(
        comparison["difference"], comparison["ci"], comparison["reason"], level=None
    )
    assert at.table[0].value["Ki-67 high"].tolist()[:2] == [confusion["tp"], confusion["fn"]]
    shown = read_table(at, 1)
    assert shown["Sensitivity"] == write(confusion["sensitivity"]["value"], confusion["sensitivity"]["ci"])
    assert shown["Matthews correlation"] == write(confusion["mcc"]["value"], confusion["mcc"]["ci"])

    at.switch_page(PAGES["Calibration"]).run()
    calibration, shown = expected["calibration"], read_table(at, 0)
    assert shown["Intercept (ideal 0)"] == write(calibration["intercept"]["est"], calibration["intercept"]["ci"])
    assert shown["Slope (ideal 1)"] == write(calibration["slope"]["est"], calibration["slope"]["ci"])
    assert shown["ICI, mean absolute error of the curve"] == write(calibration["ici"], calibration["ici_ci"])

    at.switch_page(PAGES["Decision curve"]).run()
    (row,) = [r for r in expected["decision_curve"] if r["model"] == "model" and abs(r["threshold"] - 0.3) < 1e-9]
    table = at.table[0].value.set_index("Threshold")
    assert table.loc["0.30", "Model"] == f"{row['net_benefit']:.3f}"

    at.switch_page(PAGES["Survival"]).run()
    cox, early = expected["survival"]["cox"], expected["early_recurrence"]
    assert at.table[1].value["Hazard ratio (95 % CI)"][0] == (
        f"{cox['hr']:.2f} ({cox['ci'][0]:.2f} to {cox['ci'][1]:.2f})"
    )
    assert f"{word_count(early['events'], 'recurrence')} by 6 months" in words(at)
    assert write_estimate(early["auc"], early["ci"]) in words(at)

    at.switch_page(PAGES["Lymph nodes"]).run()
    high = expected["lymph_nodes"]["rates"]["high"]
    assert at.table[0].value["With metastasis"][0] == str(high["events"])
    assert f"{100 * high['rate']:.1f} %" in at.table[0].value["Rate"][0]


def test_development_patients_are_corrected_for_optimism_and_others_are_not(open_page, at):
    at.switch_page(PAGES["Calibration"]).run()
    assert "Corrected for optimism" not in [h.value for h in at.header]
    at.segmented_control[0].set_value("train").run()
    assert "the table has only the finished probability" in words(at)
    both = make_table()
    noise = np.random.default_rng(1).uniform(0.05, 0.95, len(both))
    at = upload(open_page(COHORT), encode(both.assign(prob_clinical=noise))).switch_page(PAGES["Calibration"]).run()
    at.segmented_control[0].set_value("train").run()
    train = both[both["split"] == "train"]
    assert f"n = {len(train)}, {train['y'].sum()} with high Ki-67" in words(at)
    shown = next(t.value for t in at.table if "Corrected" in t.value).set_index("Figure").astype(float)
    assert shown.loc["Slope (ideal 1)", "Apparent"] == 1
    assert shown.loc["AUC", "Corrected"] < shown.loc["AUC", "Apparent"]


def test_filters_hold_on_all_pages(at):
    at.switch_page(PAGES["Discrimination"]).run()
    split = next(w for w in at.segmented_control if w.label == "Split")
    split.set_value("train").run()
    next(w for w in at.get("button_group") if w.label == "Centre").set_value(["North"]).run()
    assert "30 of 120 patients" in words(at)
    at.switch_page(PAGES["Lymph nodes"]).run()
    at.switch_page(PAGES["Calibration"]).run()
    assert "In the training split of the uploaded cohort (centre North)" in words(at)
    assert "apparent and optimistic" in at.warning[0].value


def test_size_and_device_filter_too(open_page):
    table = make_table()
    table = table.assign(size_mm=np.tile([10, 30, 60], len(table) // 3), image_device=np.tile(["X", "Y"], 60))
    at = upload(open_page(COHORT), encode(table)).switch_page(PAGES["Discrimination"]).run()
    for label, chosen in (("Size (mm)", ["< 20"]), ("Device", ["X"])):
        next(w for w in at.get("button_group") if w.label == label).set_value(chosen).run()
    assert "10 of 120 patients" in words(at)
    at.switch_page(PAGES["Lymph nodes"]).run()
    at.switch_page(PAGES["Calibration"]).run()
    assert "(size < 20 mm, device X)" in unescape(words(at))


def test_a_filter_that_leaves_nobody_is_one_sentence(at):
    at.switch_page(PAGES["Calibration"]).run()
    next(w for w in at.get("button_group") if w.label.startswith("Age")).set_value(["\u2265 65"]).run()
    assert not at.error
    table = make_table().assign(age=40)
    upload(at.switch_page(COHORT).run(), encode(table))
    at.switch_page(PAGES["Calibration"]).run()
    next(w for w in at.get("button_group") if w.label.startswith("Age")).set_value(["\u2265 65"]).run()
    assert [e.value for e in at.error] == ["The filters leave no patient; widen them."]


def test_a_moved_threshold_is_exploratory_on_both_pages_and_can_be_put_back(at):
    at.switch_page(PAGES["Discrimination"]).run()
    before = at.table[0].value
    at.slider[0].set_value(0.9).run()
    assert ":orange-badge[Exploratory] The threshold was moved to 0.900" in words(at)
    assert at.table[0].value["Total"][0] < before["Total"][0]
    at.switch_page(PAGES["Decision curve"]).run()
    assert at.slider[0].value == 0.9
    assert "Exploratory" in words(at)
    at.switch_page(PAGES["Lymph nodes"]).run()
    assert "The frozen threshold is" in words(at)
    at.switch_page(PAGES["Discrimination"]).run()
    next(b for b in at.button if b.label.startswith("Back to the frozen")).click().run()
    assert at.table[0].value.equals(before)


def test_one_class_is_said_in_words_on_every_page(open_page):
    at = upload(open_page(COHORT), encode(make_table().assign(y=1, lnm=0, rfs_event=0)))
    for path in PAGES.values():
        at.switch_page(path).run()
        assert not at.exception
        assert not at.error
    at.switch_page(PAGES["Discrimination"]).run()
    assert "there is nothing to tell apart" in words(at)


def test_every_table_of_a_page_leaves_as_csv(at):
    for path in PAGES.values():
        at.switch_page(path).run()
        labels = [button.label for button in at.get("download_button")]
        assert labels.count("Table (CSV)") + labels.count("Data (CSV)") >= len(at.table), path


def test_what_a_page_can_not_show_says_what_would_bring_it(open_page):
    at = upload(open_page(COHORT), encode(make_table()[["y", "prob"]]))
    assert "Needed: Recurrence-free survival and Recurrence" in words(at.switch_page(PAGES["Survival"]).run())
    assert "say so on the page Cohort" in words(at.switch_page(PAGES["Lymph nodes"]).run())
    assert "no values in centre" not in words(at.switch_page(PAGES["Discrimination"]).run())
    assert "Not corrected for optimism" not in words(at.switch_page(PAGES["Calibration"]).run())
    at = upload(open_page(COHORT), encode(make_table().assign(y=0, split="external")))
    assert "take its frozen threshold on the page Cohort" in words(at.switch_page(PAGES["Survival"]).run())


@pytest.mark.parametrize("n", [1, 3])
def test_a_handful_of_patients_breaks_no_page(open_page, n):
    at = upload(open_page(COHORT), encode(make_table().tail(n)))
    for path in (COHORT, *PAGES.values()):
        at.switch_page(path).run()
        assert not at.exception, path
        assert not at.error, path


def test_tertiles_recalibration_range_and_other_model(at):
    at.switch_page(PAGES["Survival"]).run()
    at.segmented_control(key="cohort_groups").set_value("Tertiles of the probability").run()
    assert at.table[0].value["Group"].tolist() == ["Lowest tertile", "Middle tertile", "Highest tertile"]
    at.switch_page(PAGES["Calibration"]).run()
    at.segmented_control(key="cohort_update").set_value("intercept + slope").run()
    assert re.search(r"Updated log-odds = [+-]\d\.\d+ \+ \d\.\d+ x", words(at))
    at.switch_page(PAGES["Decision curve"]).run()
    at.slider(key="cohort_range").set_value((0.1, 0.4)).run()
    assert "for thresholds from 0.10 to 0.40" in words(at)
    assert "minus that of image alone" in words(at)


def test_net_benefit_for_another_prevalence_a_harm_and_as_another_measure(at):
    at.switch_page(PAGES["Decision curve"]).run()
    before = at.table[0].value["Model"].tolist()
    assert "Assumed" not in words(at)
    at.number_input(key="cohort_prevalence").set_value(20.0).run()
    assert "Net benefit is drawn for prevalence 20 % (observed" in words(at)
    assert at.table[0].value["Model"].tolist() != before
    at.number_input(key="cohort_prevalence").set_value(None).run()
    at.number_input(key="cohort_harm").set_value(0.01).run()
    assert float(at.table[0].value["Model"][0]) == pytest.approx(float(before[0]) - 0.01, abs=1e-9)
    for measure in ("standardized_net_benefit", "interventions_avoided"):
        at.segmented_control(key="cohort_measure").set_value(measure).run()
        assert not at.exception
        assert not at.error


def test_recurrence_has_a_decision_curve_and_a_cut_off_of_ones_own(at):
    at.switch_page(PAGES["Survival"]).run()
    assert "Risk of recurrence within 36 months by a Cox model" in words(at)
    assert "fitted on train (n = 60" in words(at)
    at.segmented_control(key="cohort_horizon_3").set_value(12).run()
    assert "Kaplan-Meier risk by 12 months" in words(at)
    assert re.search(r"Thresholds from 0[.]\d+ to 0[.]\d+: the range of the middle 95 % of these patients", words(at))
    at.segmented_control(key="cohort_groups").set_value("A cut-off of your own").run()
    at.number_input(key="cohort_own_cut").set_value(0.7).run()
    assert "Groups are cut at 0.700" in words(at)
    assert any("fewer than 10 a term" in warning.value for warning in at.warning)


def test_hazards_that_change_are_said_on_the_survival_page(open_page):
    table = make_table()
    high, rank = table["prob"] >= table["prob"].median(), np.arange(len(table))
    months = np.where(high, 1 + rank % 60 * 0.1, 30 + rank % 60 * 0.4).round(1)
    table = table.assign(rfs_months=np.where(high & (rank % 2 == 0), 60, months), rfs_event=(rank % 2).astype(int))
    at = upload(open_page(COHORT), encode(table)).switch_page(PAGES["Survival"]).run()
    said = " ".join(warning.value for warning in at.warning)
    assert "hazards are not proportional for predicted high against low (p" in said
    assert "Mean recurrence-free time up to" in said


def test_a_model_below_a_part_of_itself_is_said_on_both_pages(open_page):
    table = make_table()
    noise = np.random.default_rng(2).uniform(0.05, 0.95, len(table))
    at = upload(open_page(COHORT), encode(table.assign(prob_image=table["prob"], prob=noise)))
    at.switch_page(PAGES["Discrimination"]).run()
    assert any("AUC" in w.value and "lies below that of a part of it" in w.value for w in at.warning)
    at.switch_page(PAGES["Decision curve"]).run()
    assert any("net benefit lies below that of a part of it" in w.value for w in at.warning)


def test_nodes_have_curves_and_net_benefit_where_the_heads_are_given(open_page):
    table = make_table()
    table = table.assign(prob_lnm=table["prob"] / 2, prob_lnm_without_aln_us=0.4, aln_us=table["lnm"])
    at = upload(open_page(COHORT), encode(table)).switch_page(PAGES["Lymph nodes"]).run()
    text = words(at)
    assert "the AUC for node metastasis was: Node model, with axillary ultrasound 0." in text
    assert "Axillary ultrasound is above treating all and treating none at 26 of 26 thresholds" in text
    assert "for thresholds from 0.05 to 0.30" in text
    assert at.warning[0].value.startswith("If axillary ultrasound is among the model's inputs")


def test_no_torch_is_loaded_for_a_cohort(bundle_dir):
    code = (
        "import sys; from streamlit.testing.v1 import AppTest\n"
        "at = AppTest.from_file(sys.argv[1], default_timeout=60).run()\n"
        "at.switch_page('pages/3_Discrimination.py').run(); assert at.table; assert 'torch' not in sys.modules\n"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code, str(root / "app.py")],
        cwd=root,
        env={**os.environ, "SONOKI_BUNDLE": str(bundle_dir)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr

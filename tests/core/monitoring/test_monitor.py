"""All that is watched of one bundle, its alarms and exhibits."""

import json

import numpy as np
import pandas as pd
import pytest

from core.evaluation.cohort.records import render_plain
from core.monitoring.alarms import FALSE_ALARMS, PERIOD, RULE, mark_alarms
from core.monitoring.exhibits import METHOD, list_exhibits
from core.monitoring.monitor import MOST, Monitoring, Scope, list_bundles, monitor
from tests.core.monitoring.made import OTHER, OWN, TODAY, make_estimates, make_patients, make_reference

SCOPE = Scope(OWN)


def watch(patients: pd.DataFrame, scope: Scope = SCOPE, **changes: object) -> Monitoring:
    reference = make_reference(make_patients(300, np.random.default_rng(0)))
    found = monitor(make_estimates(patients, **changes), scope, reference, today=TODAY)
    assert found is not None
    return found


def test_in_control_there_is_no_alarm_and_every_figure_has_its_n():
    found = watch(make_patients(400, np.random.default_rng(3)))
    assert found.alarms == ()
    assert (found.patients, found.with_outcome) == (400, 400)
    for exhibit in list_exhibits(found, "the register"):
        assert exhibit.lack() == ""
        assert "400" in exhibit.sentence() or "n = " in exhibit.sentence(), exhibit.name


def test_a_change_of_device_raises_alarms_that_say_what_to_do():
    patients = make_patients(500, np.random.default_rng(4))
    later = patients.index >= 200
    patients.loc[later, "image_score"] += 1.2
    patients.loc[later, "prob"] = 1 / (1 + np.exp(-1.5 * patients.loc[later, "image_score"]))
    found = watch(patients)
    assert {alarm.about for alarm in found.alarms} == {"image_score", "fewer"}
    drift, *chart = found.alarms
    assert drift.sentence.startswith("Image score differs from training in ")
    assert "a new machine, probe or preset" in drift.sentence
    assert "Fewer patients had a high Ki-67 than estimated" in chart[0].sentence
    assert "recalibrate" in chart[0].sentence
    assert 200 < found.cusum.crossings[0].end < 350


def test_a_window_that_is_not_full_or_has_fewer_than_fifty_raises_no_alarm():
    patients = make_patients(49, np.random.default_rng(5))
    patients["image_score"] += 5
    assert watch(patients).alarms == ()
    by_month = watch(pd.concat([patients] * 8, ignore_index=True), Scope(OWN, None, "month"), per_day=1)
    assert (by_month.volumes["n"] < 50).all()
    assert by_month.drift.empty


def test_a_small_difference_in_many_patients_is_no_alarm():
    drift = pd.DataFrame({"n_window": [50, 50, 5_000, 5_000], "p_adjusted": [0.001, 0.002, 0.02, 0.02]})
    drift["psi"] = [0.2, 0.2, 0.2, 0.05]
    assert (FALSE_ALARMS, PERIOD) == (0.05, 1_000)
    assert mark_alarms(drift).tolist() == [True, False, True, False]


def test_estimates_after_the_outcome_are_not_compared():
    estimates = make_estimates(make_patients(100, np.random.default_rng(6)))
    estimates.table.loc[:29, "is_prospective"] = False
    reference = make_reference(make_patients(300, np.random.default_rng(0)))
    found = monitor(estimates, SCOPE, reference, today=TODAY)
    assert (found.with_outcome, found.late, found.cusum.n) == (70, 30, 70)
    assert found.agreement["with_outcome"].sum() == 70
    assert "30 patients were estimated after" in " ".join(list_exhibits(found, "x")[0].notes())


def test_another_bundle_is_watched_without_training_patients():
    estimates = make_estimates(make_patients(120, np.random.default_rng(7)), bundle=OTHER)
    reference = make_reference(make_patients(300, np.random.default_rng(0)))
    assert monitor(estimates, SCOPE, reference, today=TODAY) is None
    assert list_bundles(estimates) == {OTHER: "ours"}
    found = monitor(estimates, Scope(OTHER), reference, today=TODAY)
    assert found.drift.empty
    assert found.volumes["indeterminate"].isna().all()
    lacks = {exhibit.name: exhibit.lack() for exhibit in list_exhibits(found, "x")}
    assert "another bundle" in lacks["drift"]
    assert lacks["cusum"] == ""


def test_one_centre_is_watched_apart():
    found = watch(make_patients(200, np.random.default_rng(8)), Scope(OWN, "North"))
    assert found.patients == 100


def test_without_outcomes_the_charts_say_so():
    found = watch(make_patients(120, np.random.default_rng(9)).assign(ki67_pct=np.nan))
    lacks = {exhibit.name: exhibit.lack() for exhibit in list_exhibits(found, "x")}
    assert all("enter outcomes" in lacks[name] for name in ("observed_over_expected", "cusum", "auc"))
    assert lacks["drift"] == ""


@pytest.mark.parametrize("n", [1, 9, 60, 400])
@pytest.mark.parametrize("by", ["patients", "month"])
def test_every_exhibit_can_be_shown_and_written(n, by):
    found = watch(make_patients(n, np.random.default_rng(10)), Scope(OWN, None, by))
    for exhibit in list_exhibits(found, "the register"):
        if exhibit.lack():
            continue
        assert exhibit.sentence().endswith("."), exhibit.name
        exhibit.figure()
        json.dumps(render_plain(exhibit.record()), allow_nan=False)
        assert "P-0" not in exhibit.data().to_csv()


def test_only_the_newest_windows_are_judged_one_by_one():
    found = watch(make_patients(50 * (MOST + 2), np.random.default_rng(11)))
    assert (found.earlier, len(found.volumes), found.cusum.n) == (2, MOST, 50 * (MOST + 2))
    assert found.volumes["window"].iloc[0] == "101 to 150"
    assert found.agreement["with_outcome"].sum() == 50 * MOST


def test_no_single_outcome_can_be_read_off_the_chart():
    found = watch(make_patients(200, np.random.default_rng(12)))
    chart = next(exhibit for exhibit in list_exhibits(found, "x") if exhibit.name == "cusum")
    assert (np.diff(chart.data()["patient"]) == 5).all()


def test_rule_and_method_say_the_numbers():
    assert "5 % of all spans of 1,000 patients" in RULE
    assert "below 50 patients" in METHOD


def test_simulated_patients_are_left_out_beside_real_ones_and_counted():
    estimates = make_estimates(make_patients(100, np.random.default_rng(7)))
    estimates.table.loc[:39, "is_simulated"] = True
    reference = make_reference(make_patients(300, np.random.default_rng(0)))
    found = monitor(estimates, SCOPE, reference, today=TODAY)
    assert (found.patients, found.made_up, found.is_simulated) == (60, 40, False)
    assert "40 simulated patients are left out" in " ".join(list_exhibits(found, "x")[0].notes())
    estimates.table["is_simulated"] = True
    found = monitor(estimates, SCOPE, reference, today=TODAY)
    assert (found.patients, found.made_up, found.is_simulated) == (100, 0, True)


def test_what_no_alarm_can_be_raised_of_is_said():
    few, many = (watch(make_patients(n, np.random.default_rng(5))) for n in (20, 100))
    words = list_exhibits(few, "the register")[0].sentence()
    assert "Not judged: drift (no full window of 50 patients yet); calibration in the large (20 of 50" in words
    assert "Not judged" not in list_exhibits(many, "the register")[0].sentence()

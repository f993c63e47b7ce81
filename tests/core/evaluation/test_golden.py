"""Every value of R in tests/golden that these functions compute, within its tolerance."""

import lifelines
import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, logit

from core.evaluation import (
    compare_roc,
    compute_calibration,
    compute_cox,
    compute_cumulative_incidence,
    compute_decision_curve,
    compute_kaplan_meier,
    compute_logrank,
    compute_risk_calibration,
    compute_rmst,
    compute_roc,
    compute_survival_decision_curve,
    compute_uno_concordance,
)
from core.evaluation.calibration.logistic import fit_logistic
from core.evaluation.proportion import normal_quantile


def check(reference, prefix, computed):
    """Compare all values under a prefix; none may be left out."""
    expected = {path: pair for path, pair in reference.items() if path.startswith(prefix + ".")}
    assert expected, prefix
    assert set(expected) == set(computed)
    wrong = {
        path: (computed[path], value)
        for path, (value, tolerance) in expected.items()
        if not abs(computed[path] - value) <= tolerance
    }
    assert wrong == {}


def spread(prefix, values):
    """Name the elements of a sequence as the reference does; values that R left out are NaN."""
    return {f"{prefix}[{i}]": value for i, value in enumerate(values) if not np.isnan(value)}


@pytest.mark.parametrize("score", ["cancerpredmarker", "marker", "famhistory"])
def test_roc_equals_proc(reference, df_binary, score):
    y, x, prefix = df_binary["cancer"], df_binary[score], f"df_binary.roc.{score}"
    roc = compute_roc(y, x)
    computed = {
        f"{prefix}.n": roc.n,
        f"{prefix}.n_pos": roc.n_pos,
        f"{prefix}.n_neg": roc.n - roc.n_pos,
        f"{prefix}.auc": roc.auc,
        f"{prefix}.var_delong": roc.auc_se**2,
        f"{prefix}.se_delong": roc.auc_se,
        **spread(f"{prefix}.ci95_delong", roc.auc_ci),
        **spread(f"{prefix}.ci90_delong", compute_roc(y, x, conf_level=0.9).auc_ci),
        **spread(f"{prefix}.ci95_logit", compute_roc(y, x, method="logit").auc_ci),
    }
    check(reference, prefix, computed)


def test_paired_delong_equals_proc(reference, df_binary):
    y, a, b = df_binary["cancer"], df_binary["cancerpredmarker"], df_binary["marker"]
    test, prefix = compare_roc(y, a, b), "df_binary.delong_cancerpredmarker_vs_marker"
    variances = compute_roc(y, a).auc_se ** 2 + compute_roc(y, b).auc_se ** 2
    computed = {
        f"{prefix}.auc1": test.auc_a,
        f"{prefix}.auc2": test.auc_b,
        f"{prefix}.z": test.z,
        f"{prefix}.p": test.p,
        f"{prefix}.diff": test.difference,
        f"{prefix}.cov12": (variances - test.se**2) / 2,
        f"{prefix}.se_diff": test.se,
        **spread(f"{prefix}.ci95_diff", test.ci),
    }
    check(reference, prefix, computed)


@pytest.mark.parametrize("name", ["cancerpredmarker", "distorted"])
def test_calibration_equals_r(reference, df_binary, name):
    y, p = df_binary["cancer"], df_binary["cancerpredmarker"].to_numpy()
    prob = p if name == "cancerpredmarker" else expit(-0.5 + 1.6 * logit(p))
    external = compute_calibration(y, prob)
    internal = compute_calibration(y, prob, role="development").hosmer_lemeshow
    curve = external.curve[(external.curve["prob"] * 100).round().astype(int) % 5 == 0]
    bins, test, prefix = external.bins, external.hosmer_lemeshow, f"df_binary.calibration_{name}"
    half = (curve["ci_high"] - curve["ci_low"]) / 2
    parts = {
        "n": external.n,
        "events": external.events,
        "mean_p": external.mean_prob,
        "observed_rate": external.observed_rate,
        "OE": external.oe,
        **spread("OE_ci95_log", external.oe_ci),
        "brier": external.brier,
        "brier_null": external.brier / (1 - external.scaled_brier),
        "brier_scaled_IPA": external.scaled_brier,
        "log_loss": external.log_loss,
        "intercept_citl.est": external.intercept,
        "intercept_citl.se": external.intercept_se,
        **spread("intercept_citl.wald95", external.intercept_ci),
        "slope.est": external.slope,
        "slope.se": external.slope_se,
        **spread("slope.wald95", external.slope_ci),
        "joint_intercept.est": external.joint_intercept,
        "LR_test_intercept0_slope1.chisq": external.lr_chisq,
        "LR_test_intercept0_slope1.df": 2,
        "LR_test_intercept0_slope1.p": external.lr_p,
        "loess_default.ICI": external.ici,
        "loess_default.E50": external.e50,
        "loess_default.E90": external.e90,
        "loess_default.Emax": external.emax,
        **spread("loess_curve.p", curve["prob"]),
        **spread("loess_curve.obs", curve["observed"]),
        **spread("loess_curve.se", half / 1.959963984540054),
        **spread("loess_curve.lower", curve["ci_low"]),
        **spread("loess_curve.upper", curve["ci_high"]),
        "hosmer_lemeshow_g10.groups": test.groups,
        "hosmer_lemeshow_g10.chisq": test.statistic,
        "hosmer_lemeshow_g10.df_internal": internal.df,
        "hosmer_lemeshow_g10.p_internal": internal.p,
        "hosmer_lemeshow_g10.df_external": test.df,
        "hosmer_lemeshow_g10.p_external": test.p,
        **spread("hosmer_lemeshow_g10.n", bins["n"]),
        **spread("hosmer_lemeshow_g10.observed", bins["events"]),
        **spread("hosmer_lemeshow_g10.expected", bins["expected"]),
        "spiegelhalter.z": external.spiegelhalter_z,
        "spiegelhalter.p": external.spiegelhalter_p,
        "rms_val_prob.Brier": external.brier,
        "rms_val_prob.Intercept": external.joint_intercept,
        "rms_val_prob.Slope": external.slope,
        "rms_val_prob.U:Chi-sq": external.lr_chisq,
        "rms_val_prob.U:p": external.lr_p,
        "rms_val_prob.S:z": external.spiegelhalter_z,
        "rms_val_prob.S:p": external.spiegelhalter_p,
        **spread("decile_table.n", bins["n"]),
        **spread("decile_table.events", bins["events"]),
        **spread("decile_table.mean_p", bins["mean_prob"]),
        **spread("decile_table.obs", bins["observed"]),
        **spread("decile_table.wilson_lo", bins["ci_low"]),
        **spread("decile_table.wilson_hi", bins["ci_high"]),
    }
    check(reference, prefix, {f"{prefix}.{part}": value for part, value in parts.items()})


def list_curve(result, model, prefix):
    rows = result.table[result.table["model"] == model]
    return {
        f"{prefix}.n": rows["n"].iloc[0],
        f"{prefix}.pos_rate": result.prevalence,
        **spread(f"{prefix}.threshold", rows["threshold"]),
        **spread(f"{prefix}.net_benefit", rows["net_benefit"]),
        **spread(f"{prefix}.tp_rate", rows["tp_rate"]),
        **spread(f"{prefix}.fp_rate", rows["fp_rate"]),
        **spread(f"{prefix}.net_intervention_avoided_per100", rows["interventions_avoided"]),
    }


def read_thresholds(reference, prefix):
    return [value for path, (value, _) in reference.items() if path.startswith(f"{prefix}.threshold[")]


@pytest.mark.parametrize("model", ["all", "none", "cancerpredmarker", "famhistory", "marker"])
def test_decision_curve_equals_dcurves(reference, df_binary, model):
    y, prefix = df_binary["cancer"].to_numpy(float), f"dca.binary.{model}"
    design = np.column_stack([np.ones(len(y)), df_binary["marker"]])
    models = {
        "cancerpredmarker": df_binary["cancerpredmarker"],
        "famhistory": df_binary["famhistory"],
        "marker": expit(design @ fit_logistic(design, y).coef),
    }
    result = compute_decision_curve(y, models, read_thresholds(reference, prefix))
    check(reference, prefix, list_curve(result, model, prefix))


@pytest.mark.parametrize("horizon", ["1", "1.5"])
@pytest.mark.parametrize("model", ["all", "none", "cancerpredmarker"])
def test_survival_decision_curve_equals_dcurves(reference, df_surv, model, horizon):
    prefix = f"dca.survival_t{horizon}.{model}"
    models, thresholds = {"cancerpredmarker": df_surv["cancerpredmarker"]}, read_thresholds(reference, prefix)
    result = compute_survival_decision_curve(df_surv["ttcancer"], df_surv["cancer"], models, thresholds, float(horizon))
    check(reference, prefix, list_curve(result, model, prefix))


def test_survival_decision_curve_takes_a_risk_that_rises_with_the_marker(reference, df_surv):
    time, event, marker = df_surv["ttcancer"].to_numpy(), df_surv["cancer"].to_numpy(), df_surv["marker"].to_numpy()
    relative = np.exp(compute_cox(time, event, {"marker": marker}).table.loc["marker", "coef"] * marker)
    moments = time[(event == 1) & (time <= 1)]
    hazard = sum(1 / relative[time >= moment].sum() for moment in moments)
    risk = 1 - np.exp(-hazard * relative)
    prefix = "dca.survival_t1_marker_CORRECT_risk"
    result = compute_survival_decision_curve(time, event, {"marker": risk}, read_thresholds(reference, prefix), 1.0)
    check(reference, prefix, list_curve(result, "marker", prefix))


def test_logistic_regression_equals_glm(reference, df_binary):
    y, prefix = df_binary["cancer"].to_numpy(float), "logistic.df_binary_age_famhistory_marker"
    design = np.column_stack([np.ones(len(y)), df_binary[["age", "famhistory", "marker"]]])
    fit = fit_logistic(design, y)
    prob = expit(design @ fit.coef)
    computed = {
        **spread(f"{prefix}.coef", fit.coef),
        **spread(f"{prefix}.se", fit.se),
        f"{prefix}.loglik": fit.loglik,
        f"{prefix}.c_index": compute_roc(y, prob).auc,
        f"{prefix}.brier": compute_calibration(y, prob).brier,
        **spread(f"{prefix}.first5_pred", prob[:5]),
    }
    check(reference, prefix, computed)


def list_survival(reference, prefix, label, time, event, group):
    times = [value for path, (value, _) in reference.items() if path.startswith(f"{prefix}.time[")]
    result = compute_kaplan_meier(time, event, group, times=times)
    rows = result.at_times[result.at_times["group"] == label]
    median = result.medians[result.medians["group"] == label].iloc[0]
    return {
        f"{prefix}.n": median["n"],
        **spread(f"{prefix}.time", rows["time"]),
        **spread(f"{prefix}.surv", rows["survival"]),
        **spread(f"{prefix}.se", rows["se"]),
        **spread(f"{prefix}.n_risk", rows["at_risk"]),
        **spread(f"{prefix}.cum_events", rows["events"]),
        **spread(f"{prefix}.cum_censor", rows["censored"]),
        **spread(f"{prefix}.ci95_loglog.lower", rows["ci_low"]),
        **spread(f"{prefix}.ci95_loglog.upper", rows["ci_high"]),
        **spread(f"{prefix}.median_loglog", median[["median", "ci_low", "ci_high"]]),
    }


@pytest.mark.parametrize("label", ["control", "miR-137"])
def test_kaplan_meier_by_group_equals_survfit(reference, waltons, label):
    prefix = f"km.waltons.fit.{label}"
    computed = list_survival(reference, prefix, label, waltons["T"], waltons["E"], waltons["group"])
    rmst = compute_rmst(waltons["T"], waltons["E"], waltons["group"], tau=60).table.set_index("group").loc[label]
    computed |= {f"{prefix}.rmst.tau": rmst["tau"], f"{prefix}.rmst.est": rmst["rmst"], f"{prefix}.rmst.se": rmst["se"]}
    check(reference, prefix, computed)


def test_kaplan_meier_overall_equals_survfit(reference, df_surv):
    prefix = "km.df_surv_overall.all"
    computed = list_survival(reference, prefix, "all", df_surv["ttcancer"], df_surv["cancer"], None)
    check(reference, prefix, computed)


def test_logrank_equals_survdiff(reference, waltons):
    test, prefix = compute_logrank(waltons["T"], waltons["E"], waltons["group"]), "km.waltons.logrank"
    computed = {
        f"{prefix}.chisq": test.chisq,
        f"{prefix}.df": test.df,
        f"{prefix}.p": test.p,
        **spread(f"{prefix}.observed", test.table["observed"]),
        **spread(f"{prefix}.expected", test.table["expected"]),
    }
    check(reference, prefix, computed)


def test_cox_equals_another_implementation(gbsg2):
    """lifelines, `CoxPHFitter().fit(...)` with Efron's ties, reaches the same maximum."""
    terms = pd.DataFrame({"horTh": (gbsg2["horTh"] == "yes") * 1.0, "age": gbsg2["age"], "pnodes": gbsg2["pnodes"]})
    frame = terms.assign(time=gbsg2["time"], cens=gbsg2["cens"])
    other = lifelines.CoxPHFitter().fit(frame, "time", "cens")
    own = compute_cox(gbsg2["time"], gbsg2["cens"], terms)
    np.testing.assert_allclose(own.table["coef"], other.summary["coef"], atol=2e-6)
    np.testing.assert_allclose(own.table["se"], other.summary["se(coef)"], atol=1e-6)
    assert own.loglik == pytest.approx(other.log_likelihood_, abs=1e-7)
    assert own.loglik >= other.log_likelihood_
    linear = (terms * own.table["coef"]).sum(axis=1)
    concordance = lifelines.utils.concordance_index(gbsg2["time"], -linear, gbsg2["cens"])
    assert own.concordance == pytest.approx(concordance, abs=1e-12)


def test_stratified_cox_equals_another_implementation(gbsg2):
    frame = gbsg2[["time", "cens", "pnodes", "menostat"]]
    other = lifelines.CoxPHFitter().fit(frame, "time", "cens", strata="menostat")
    own = compute_cox(gbsg2["time"], gbsg2["cens"], gbsg2[["pnodes"]], strata=gbsg2["menostat"])
    assert own.table.loc["pnodes", "coef"] == pytest.approx(other.params_["pnodes"], abs=2e-6)
    assert own.concordance == pytest.approx(other.concordance_index_, abs=1e-12)


@pytest.fixture
def risk(gbsg2):
    """The risk of an event by day 1000 that R was given, too."""
    return 1 - np.exp(-0.25 * np.exp(0.06 * np.minimum(gbsg2["pnodes"], 20)))


def test_risk_by_a_horizon_equals_riskregression(reference, gbsg2, risk):
    result, prefix = compute_risk_calibration(gbsg2["time"], gbsg2["cens"], risk, 1000), "gbsg2.risk"
    z = normal_quantile(0.95)
    null = compute_risk_calibration(gbsg2["time"], gbsg2["cens"], np.full(len(risk), result.observed), 1000)
    computed = {
        f"{prefix}.brier": result.brier,
        f"{prefix}.brier_null": null.brier,
        f"{prefix}.brier_se": (result.brier_ci[1] - result.brier) / z,
        f"{prefix}.ipa": result.scaled_brier,
        f"{prefix}.slope": result.slope,
        f"{prefix}.slope_se": (result.slope_ci[1] - result.slope) / z,
        f"{prefix}.observed": result.observed,
        **spread(f"{prefix}.observed_ci", result.observed_ci),
    }
    check(reference, prefix, computed)


def test_unos_concordance_equals_survival(reference, gbsg2, risk):
    prefix, computed = "gbsg2.uno", {}
    for name, horizon in (("_1000", 1000.0), ("", np.inf)):
        index = compute_uno_concordance(gbsg2["time"], gbsg2["cens"], risk, horizon)
        computed |= {f"{prefix}.c{name}": index.c, f"{prefix}.se{name}": index.se}
    check(reference, prefix, computed)


def test_cumulative_incidence_equals_survfit(reference, gbsg2):
    old = gbsg2["age"] > 60
    event, competing = gbsg2["cens"].where(~old, 0), gbsg2["cens"].where(old, 0)
    everybody, times = np.repeat("all", len(gbsg2)), [500, 1000, 2000]
    table = compute_cumulative_incidence(gbsg2["time"], event, competing, everybody, times=times).table
    prefix = "gbsg2.incidence"
    names = ("incidence", "se", "ci_low", "ci_high")
    computed = {path: value for name in names for path, value in spread(f"{prefix}.{name}", table[name]).items()}
    check(reference, prefix, computed)

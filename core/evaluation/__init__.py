"""Outcomes and scores to frozen results; no plotting. `conf_level` is the level of every interval, 0.95 by default.

What a library does as well comes from it: Wilson and kappa from statsmodels, loess from scikit-misc, tests from
scipy. Survival is our own, beside lifelines 0.30 in the tests: its restricted mean takes 2.5 s where ours takes 2 ms
and gives the variance of min(T, tau) in place of R's standard error; its log-rank test knows no strata and takes ten
times as long; its Cox fit stops 4e-7 short, takes four times as long for 204 patients, and does not name the terms that
separate the events; its Kaplan-Meier fit has not R's medians, and its reverse curve keeps those at risk of being
censored who had an event at that time, which R and the weights of the time-dependent AUC do not.
"""

from core.evaluation.calibration.closed_test import ClosedTestResult, compute_closed_test
from core.evaluation.calibration.hosmer_lemeshow import HosmerLemeshow
from core.evaluation.calibration.measures import CalibrationResult, compute_calibration
from core.evaluation.calibration.optimism import OptimismResult, compute_optimism
from core.evaluation.calibration.recalibration import RecalibrationResult, compute_recalibration
from core.evaluation.cohort.lymph_nodes import LymphNodeResult, compute_lymph_nodes
from core.evaluation.cohort.split import (
    ModelComparison,
    choose_cohort_threshold,
)
from core.evaluation.cohort.subgroups import SubgroupResult, compute_subgroups, cut_levels
from core.evaluation.cohort.survival import (
    SurvivalCurves,
    SurvivalModels,
    compute_survival_curves,
    compute_survival_models,
)
from core.evaluation.cohort.table_one import FlowResult, TableOneResult, compute_table_one, count_flow
from core.evaluation.decision_curve import (
    DecisionCurveResult,
    NetBenefitDifference,
    compute_decision_curve,
    compute_net_benefit_difference,
    compute_survival_decision_curve,
)
from core.evaluation.discrimination.agreement import AgreementResult, compare_readers, compute_agreement
from core.evaluation.discrimination.confusion import ConfusionResult, McNemarResult, compute_confusion, compute_mcnemar
from core.evaluation.discrimination.indeterminate import compute_indeterminate
from core.evaluation.discrimination.roc import RocResult, compute_roc
from core.evaluation.discrimination.roc_comparison import RocComparison, compare_roc, compare_roc_unpaired
from core.evaluation.discrimination.threshold import ThresholdResult, choose_threshold
from core.evaluation.pooling import PooledResult, pool_random_effects
from core.evaluation.survival.concordance import ConcordanceResult, compute_concordance, compute_uno_concordance
from core.evaluation.survival.cox import CoxResult, compute_cox
from core.evaluation.survival.cumulative_incidence import IncidenceResult, compute_cumulative_incidence
from core.evaluation.survival.follow_up import FollowUpResult, RmstResult, compute_follow_up, compute_rmst
from core.evaluation.survival.kaplan_meier import KaplanMeierResult, compute_kaplan_meier
from core.evaluation.survival.logrank import LogRankResult, compute_logrank
from core.evaluation.survival.risk import RiskResult, compute_risk_calibration
from core.evaluation.survival.time_auc import TimeAucResult, compute_time_auc

__all__ = [
    "AgreementResult",
    "CalibrationResult",
    "ClosedTestResult",
    "ConcordanceResult",
    "ConfusionResult",
    "CoxResult",
    "DecisionCurveResult",
    "FlowResult",
    "FollowUpResult",
    "HosmerLemeshow",
    "IncidenceResult",
    "KaplanMeierResult",
    "LogRankResult",
    "LymphNodeResult",
    "McNemarResult",
    "ModelComparison",
    "NetBenefitDifference",
    "OptimismResult",
    "PooledResult",
    "RecalibrationResult",
    "RiskResult",
    "RmstResult",
    "RocComparison",
    "RocResult",
    "SubgroupResult",
    "SurvivalCurves",
    "SurvivalModels",
    "TableOneResult",
    "ThresholdResult",
    "TimeAucResult",
    "choose_cohort_threshold",
    "choose_threshold",
    "compare_readers",
    "compare_roc",
    "compare_roc_unpaired",
    "compute_agreement",
    "compute_calibration",
    "compute_closed_test",
    "compute_concordance",
    "compute_confusion",
    "compute_cox",
    "compute_cumulative_incidence",
    "compute_decision_curve",
    "compute_follow_up",
    "compute_indeterminate",
    "compute_kaplan_meier",
    "compute_logrank",
    "compute_lymph_nodes",
    "compute_mcnemar",
    "compute_net_benefit_difference",
    "compute_optimism",
    "compute_recalibration",
    "compute_risk_calibration",
    "compute_rmst",
    "compute_roc",
    "compute_subgroups",
    "compute_survival_curves",
    "compute_survival_decision_curve",
    "compute_survival_models",
    "compute_table_one",
    "compute_time_auc",
    "compute_uno_concordance",
    "count_flow",
    "cut_levels",
    "pool_random_effects",
]

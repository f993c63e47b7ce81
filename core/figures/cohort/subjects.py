"""The subjects of an evaluation: which exhibits each shows, and how they are made."""

from core.figures.cohort.calibration import CalibrationExhibit
from core.figures.cohort.centres import CentresExhibit
from core.figures.cohort.correction import OptimismExhibit, RecalibrationExhibit
from core.figures.cohort.decision_curve import DecisionCurveExhibit, GainExhibit
from core.figures.cohort.exhibit import Subject
from core.figures.cohort.flow import FlowExhibit
from core.figures.cohort.indeterminate import IndeterminateExhibit
from core.figures.cohort.lymph_nodes import NodeBenefitExhibit, NodeRatesExhibit, NodeRocExhibit
from core.figures.cohort.roc import ModelsExhibit, RocExhibit
from core.figures.cohort.subgroups import SubgroupsExhibit
from core.figures.cohort.survival.cumulative_incidence import IncidenceExhibit
from core.figures.cohort.survival.kaplan_meier import KaplanMeierExhibit
from core.figures.cohort.survival.recurrence import CoxExhibit, EarlyExhibit, RecurrenceBenefitExhibit
from core.figures.cohort.survival.recurrence_calibration import RecurrenceCalibrationExhibit
from core.figures.cohort.table_one import GroupTableExhibit, SelectionExhibit, TableOneExhibit

FLOW = Subject(
    "Flow of patients",
    (FlowExhibit,),
    "Rows as they were read; patients counted by split and by what is known of them, whatever the filters.",
)
TABLE_ONE = Subject(
    "Table 1",
    (TableOneExhibit, GroupTableExhibit, SelectionExhibit),
    "Numbers: mean (standard deviation), or median (type-7 quartiles) where the skewness of all patients is 1 or more "
    "in size. Choices: count and per cent of those known. Standardised difference: the "
    "largest between any two columns; for numbers the difference of means over the pooled standard deviation, for "
    "choices the Mahalanobis distance of the proportions (Yang and Dalton 2012). Patients with a missing value are "
    "counted, never filled in.",
)
DISCRIMINATION = Subject(
    "Discrimination",
    (RocExhibit, IndeterminateExhibit, ModelsExhibit, CentresExhibit, SubgroupsExhibit),
    "AUC with DeLong's interval (on the logit scale with fewer than 10 events); band: pointwise Wilson limits. "
    "Positive is a probability at or above the threshold, which was chosen on development data and frozen. "
    "Proportions: Wilson without continuity correction. Models: paired DeLong tests, corrected by Holm; McNemar's "
    "test with each model's own threshold, chosen alike. Indeterminate range: the fifth of the development patients "
    "nearest to the threshold, in log-odds. Centres: random effects (REML, Hartung and Knapp), the AUC on the logit "
    "scale. Subgroups: unpaired DeLong test against the other patients of the family, "
    "corrected by Holm within the family; edges of age and size were fixed beforehand.",
)
CALIBRATION = Subject(
    "Calibration",
    (CalibrationExhibit, OptimismExhibit, RecalibrationExhibit),
    "Intercept: logistic model with the model's log-odds as offset; slope: another model, with them as predictor. "
    "O/E with an interval on the log scale. Curve: loess (span 0.75, degree 2) of the outcome on the probability, "
    "or where predictions clump or loess leaves 0 to 1 a restricted cubic spline (logistic, as in rms); "
    "ICI, E50, E90, Emax are the mean, median, 90th centile and maximum of its distance from the diagonal. Points: "
    "deciles of the patients with Wilson intervals. Hosmer-Lemeshow is secondary: 10 degrees of freedom on patients "
    "that the model was not fitted on, 8 on those that it was. After an update, each tenth of the patients is "
    "judged with an update estimated on the rest.",
)
DECISION_CURVE = Subject(
    "Decision curve",
    (DecisionCurveExhibit, GainExhibit),
    "Net benefit = TP/n - FP/n x pt / (1 - pt) at threshold probability pt (Vickers and Elkin 2006), on patients "
    "complete for the outcome and every model; treating all and treating none are always drawn. Interventions "
    "avoided are per 100 patients, against treating all; standardised net benefit is its share of the prevalence. "
    "With another prevalence the rates within each class are kept and the classes weighed anew; a harm is taken "
    "off every model's net benefit. The range from 0.20 to 0.70 was fixed beforehand; another range is "
    "exploratory. The band is pointwise, from bootstrap samples of patients. Node metastasis and recurrence have "
    "their decision curves under Lymph nodes and Survival.",
)
SURVIVAL = Subject(
    "Survival",
    (
        KaplanMeierExhibit,
        IncidenceExhibit,
        CoxExhibit,
        EarlyExhibit,
        RecurrenceCalibrationExhibit,
        RecurrenceBenefitExhibit,
    ),
    "Kaplan-Meier with log-log intervals; at risk at t are those with T >= t; log-rank test, stratified by "
    "centre where there are several. Groups are known at time zero of the follow-up. Median follow-up by the "
    "reverse Kaplan-Meier method. Cox models with Efron's ties; proportional hazards by a score test on 1 - S(t). "
    "Early recurrence: cumulative/dynamic AUC at 6 months, weighted for censoring (Blanche 2013); with "
    "fewer than 10 events the interval is on the logit scale and it is called unstable. C index: Harrell's, and "
    "Uno's (2011) up to the last year in which both groups are followed. Where the table names competing events, "
    "they count as censored in the curves, and the cumulative incidence (Aalen and Johansen) takes them for what they "
    "are. Risk of recurrence: observed by Kaplan-Meier by fifths of the risk; slope by a Cox model of these patients; "
    "Brier score weighted for censoring (Graf 1999). "
    "Decision curve: the risk is that of a Cox model of recurrence on the probability, fitted on development "
    "patients; net benefit takes the Kaplan-Meier risk among those above the threshold (Vickers 2008).",
)
LYMPH_NODES = Subject(
    "Lymph nodes",
    (NodeRatesExhibit, NodeRocExhibit, NodeBenefitExhibit),
    "Rates with Wilson intervals, difference with Newcombe's; Pearson's chi-squared test without correction, "
    "Fisher's exact test when an expected count lies below 5. The node model is evaluated with and without "
    "axillary ultrasound among its inputs; paired DeLong tests. Net benefit is drawn for thresholds from 0.05 to "
    "0.30, fixed beforehand, on patients complete for all predictors; axillary ultrasound gives one decision "
    "whatever the threshold. None of this replaces the sentinel node biopsy.",
)
SUBJECTS = (DISCRIMINATION, CALIBRATION, DECISION_CURVE, SURVIVAL, LYMPH_NODES)

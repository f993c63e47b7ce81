"""What the person who trains a bundle decides, and how many patients that takes; no network comes with it."""

from dataclasses import dataclass, field

import pandas as pd

from core.clinical import M1_PREDICTORS
from core.cohort.record import Choices
from core.cohort.splits import SplitRule
from core.errors import TableError
from models.cutoff import DEFAULT_CUTOFF, Cutoff

SEED = 20260507
MIN_TRAIN = 100  # what the learning curve says is usable
LEAST_TRAIN = 30  # for trying out
LEAST_CLASS = 3
FEW_EVENTS = 10
N_REFITS = 300


@dataclass(frozen=True)
class TrainingPlan:
    """What the person who trains decides."""

    name: str  # name of the bundle
    description: str  # the training data in a sentence
    simulated: bool  # whether the patients are simulated
    cutoff: Cutoff = DEFAULT_CUTOFF  # Ki-67 that counts as high
    external: tuple[str, ...] = ()  # centres held out, where the manifest has no split
    seed: int = SEED  # seed of split, folds and draws
    choices: Choices = field(default_factory=Choices)  # what was settled about the manifest's columns
    n_refits: int = N_REFITS  # refits of the whole fit, for the intervals
    # rows whose images are taken although an estimate would refuse them or they stand under two patients
    kept: frozenset[int] = frozenset()
    # whether fewer training patients than a model needs are enough: for trying out only, which the bundle says
    few: bool = False
    # what the study's people answered to the checklists, by guideline and number
    reporting: dict[str, str] = field(default_factory=dict)
    confined: bool = False  # whether images must lie in the manifest's folder, as where a visitor of a page names it

    @property
    def split_rule(self) -> SplitRule:
        """How patients are split where the manifest does not say."""
        return SplitRule(self.external, self.cutoff, self.seed)


def check_size(
    patients: pd.DataFrame, refused: tuple[tuple[int, str], ...], plan: TrainingPlan, *, words: str = ""
) -> None:
    """Refuse fewer training patients than a model needs; events per coefficient and refused rows are named with it."""
    train = patients[patients["split"] == "train"]
    least = LEAST_TRAIN if plan.few else MIN_TRAIN
    high = plan.cutoff.is_high(train["ki67_pct"].astype(float)).astype(int)
    if len(train) >= least:
        rarer = min(int(high.sum()), len(high) - int(high.sum()))
        if rarer < LEAST_CLASS:
            raise TableError(
                f"Of {len(train)} training patients{words} {int(high.sum())} have a Ki-67 {plan.cutoff.words}; "
                f"at least {LEAST_CLASS} of each class are needed.",
                refused,
            )
        return
    way = f" For trying out only, {LEAST_TRAIN} are enough: --few" if len(train) >= LEAST_TRAIN else ""
    raise TableError(
        f"{len(train)} training patients{words} are too few; at least {least} are needed. "
        f"{describe_events(high, 1 + count_predictors(patients))}{way}",
        refused,
    )


def count_predictors(patients: pd.DataFrame) -> int:
    """Count the predictors of model M1 that a manifest has."""
    return sum(name in patients for name in M1_PREDICTORS)


def describe_events(y: "pd.Series[int]", n_coefficients: int) -> str:
    """Say how many training patients of the rarer class there are for each coefficient of the fusion."""
    rarer = int(min(y.sum(), len(y) - y.sum()))
    each = rarer / n_coefficients
    few = (
        f", fewer than {FEW_EVENTS}: the fit is likely to be too extreme for new patients" if each < FEW_EVENTS else ""
    )
    return f"Training patients of the rarer class: {rarer}, {each:.1f} for each of {n_coefficients} coefficients{few}."

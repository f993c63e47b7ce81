"""What the person who trains a bundle decides, and how many patients that takes; no network comes with it."""

from dataclasses import dataclass, field

import pandas as pd

from core.cohort.record import Choices
from core.cohort.splits import SplitRule
from core.errors import TableError
from models.cutoff import DEFAULT_CUTOFF, Cutoff

SEED = 20260507
MIN_TRAIN = 100
N_REFITS = 300


@dataclass(frozen=True)
class TrainingPlan:
    """What the person who trains decides.

    Parameters
    ----------
    name : str
        Name of the bundle.
    description : str
        The training data in a sentence.
    simulated : bool
        Whether the patients are simulated.
    cutoff : Cutoff
        Ki-67 that counts as high.
    external : tuple of str
        Centres held out, where the manifest has no split.
    seed : int
        Seed of split, folds and draws.
    choices : Choices
        What was settled about the manifest's columns.
    n_refits : int
        Refits of the whole fit, for the intervals.
    kept : frozenset of int
        Rows whose images are taken although an estimate would refuse them or they stand under two patients.
    confined : bool
        Whether images must lie in the manifest's folder, as where a visitor of a page names it.
    """

    name: str
    description: str
    simulated: bool
    cutoff: Cutoff = DEFAULT_CUTOFF
    external: tuple[str, ...] = ()
    seed: int = SEED
    choices: Choices = field(default_factory=Choices)
    n_refits: int = N_REFITS
    kept: frozenset[int] = frozenset()
    confined: bool = False

    @property
    def split_rule(self) -> SplitRule:
        """How patients are split where the manifest does not say."""
        return SplitRule(self.external, self.cutoff, self.seed)


def check_size(patients: pd.DataFrame, refused: tuple[tuple[int, str], ...], *, words: str = "") -> None:
    """Refuse fewer training patients than a model needs; the refused rows are named with it."""
    n_train = int((patients["split"] == "train").sum())
    if n_train < MIN_TRAIN:
        raise TableError(f"{n_train} training patients{words} are too few; at least {MIN_TRAIN} are needed.", refused)

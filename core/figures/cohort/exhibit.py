"""What page, report and command line walk alike: frozen results that show themselves, and their subjects."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import count
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

import pandas as pd

from core.evaluation import LymphNodeResult, RocResult, ThresholdResult
from core.evaluation.cohort.net_benefit import NODE_LABELS
from core.evaluation.cohort.results import LABELS, compute_rocs
from core.evaluation.cohort.split import compute_nodes
from core.figures.theme import SeriesStyle, style_series

if TYPE_CHECKING:
    import plotly.graph_objects as go

LARGE = 20_000
KI67, GROUP = "Ki-67 probability", "Predicted Ki-67 group"
STYLES = {
    name: number
    for names in (LABELS.values(), (KI67, *NODE_LABELS.values(), GROUP))
    for number, name in enumerate(names)
}


@dataclass(frozen=True, eq=False)
class Patients:
    """Patients that an exhibit is made of."""

    table: pd.DataFrame  # one row per patient
    whole: pd.DataFrame  # the cohort that they come from; what is fitted is fitted on its development patients
    name: str  # as sentences call them: "the external test of the simulated cohort"
    threshold: ThresholdResult  # group high is prob >= threshold
    is_development: bool = False  # whether the model was fitted on them
    refused: int = 0  # rows that were refused when the cohort was read
    reasons: tuple[tuple[str, int], ...] = ()  # why, and how many rows for each reason; empty where it was not kept
    further: int = 0  # rows that hold a further image of a patient

    @cached_property
    def exhibits(self) -> "dict[type[Exhibit], Exhibit]":
        """What was made of them so far, with no options: the report shows what `evaluate` wrote."""
        return {}

    @cached_property
    def rocs(self) -> dict[str, RocResult]:
        """The ROC curve of every model by its label, the main one first."""
        return compute_rocs(self.table)

    @cached_property
    def nodes(self) -> LymphNodeResult:
        """Node metastasis by the group that the threshold makes."""
        return compute_nodes(self.table, float(self.threshold.threshold or 0))

    def find_lacking(self, *columns: str) -> list[str]:
        """Give the columns that the table has no values in."""
        return [name for name in columns if name not in self.table or self.table[name].isna().all()]


@dataclass(frozen=True, eq=False)
class Exhibit:
    """A frozen result that shows itself; `of` computes it."""

    cohort: str  # the patients as sentences call them
    name: ClassVar[str]
    """Names its files."""
    title: ClassVar[str] = ""
    """Its heading; empty for the first of a subject."""
    keys: ClassVar[tuple[str, ...]] = ()
    """What of `record` is null, with the reason, where the exhibit can't be made."""
    needs: ClassVar[tuple[str, ...]] = ()
    """Columns without which there is no exhibit."""
    needs_groups: ClassVar[bool] = False
    """Whether there is none without a threshold."""
    ask: ClassVar[str] = ""
    """What a page asks before it computes it for a large cohort."""
    is_extra: ClassVar[bool] = False
    """Whether report and record leave it out above `LARGE` patients and within subgroups."""

    @classmethod
    def of(cls, patients: Patients, **options: Any) -> Self:
        """Compute it with a page's options."""
        raise NotImplementedError

    @classmethod
    def applies(cls, patients: Patients) -> bool:
        """Whether it has anything to say of these patients."""
        return bool(len(patients.table))

    @classmethod
    def explain_lack(cls, patients: Patients) -> str:
        """Say why it can't be made of these patients; empty if it can."""
        lacking = patients.find_lacking(*cls.needs)
        if lacking:
            return f"The table has no values in {' and '.join(lacking)}."
        if cls.needs_groups and patients.threshold.threshold is None:
            return f"Without a threshold there are no predicted groups: {patients.threshold.reason}"
        return ""

    def figure(self) -> "go.Figure | None":
        """Draw it; None where there are tables alone."""
        return None

    def sentence(self) -> str:
        """Say what it shows, with n and interval: text below the figure and its alternative text."""
        return ""

    def cautions(self) -> list[str]:
        """Say what to beware of."""
        return []

    def notes(self) -> list[str]:
        """Say how it was made, as far as that differs between patients."""
        return []

    def tables(self) -> dict[str, pd.DataFrame]:
        """Give the tables to read beside it by what they show."""
        return {}

    def data(self) -> pd.DataFrame:
        """Give what it was drawn from."""
        return next(iter(self.tables().values()), pd.DataFrame())

    def record(self) -> dict[str, Any]:
        """Give its part of what `python -m core evaluate --json` prints."""
        return {}


Kinds = tuple[type[Exhibit], ...]


@dataclass(frozen=True)
class Subject:
    """Exhibits that answer one question."""

    title: str  # its heading
    kinds: Kinds  # classes of exhibits in the order in which they are read
    method: str  # how they are made

    def make(
        self, patients: Patients, *, extras: Literal["all", "small", "none"] = "small"
    ) -> Iterator[tuple[type[Exhibit], "Exhibit | str"]]:
        """Make every exhibit that applies, or give the reason why not."""
        for kind in self.kinds:
            if (kind.is_extra and extras == "none") or not kind.applies(patients):
                continue
            lack = kind.explain_lack(patients)
            if not lack and kind.is_extra and extras == "small" and len(patients.table) > LARGE:
                lack = f"{kind.title} is left out above {LARGE:,} patients."
            if not lack and kind not in patients.exhibits:
                patients.exhibits[kind] = kind.of(patients)
            yield kind, lack or patients.exhibits[kind]


def style_models(labels: Iterable[str]) -> dict[str, SeriesStyle]:
    """Give each model its line and marker: the same in every figure, further models those that are left."""
    names = list(labels)
    taken = {STYLES[name] for name in names if name in STYLES}
    free = (number for number in count() if number not in taken)
    return {name: style_series(STYLES[name] if name in STYLES else next(free)) for name in names}

"""When an alarm is raised, and what it says: what was found, in whom, and what to do."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import pandas as pd

from core.monitoring.cusum import Crossing, Side
from core.monitoring.drift import LEAST, RELEVANT, SCORE, UNKNOWN

FALSE_ALARMS = 0.05
PERIOD = 1_000
RULE = (
    f"An alarm is false in at most {100 * FALSE_ALARMS:g} % of all spans of {PERIOD:,} patients: half of that is left "
    f"to drift, a quarter to each side of the CUSUM chart. A window of n patients may spend n / {PERIOD:,} of the "
    f"share for drift; it is judged once it is full and has {LEAST} patients, and a difference counts only if the "
    f"stability index is at least {RELEVANT:g}, so that many patients make no alarm of a difference without weight."
)
DO: Mapping[str, str] = {
    SCORE: (
        "Look at recent images: a new machine, probe or preset, or boxes drawn in another way, shifts the score. "
        "Until it is explained, don't rely on the estimates."
    ),
    UNKNOWN: "Ask why it is left out: the estimate then takes the training patients' average in its place.",
    "other": "Ask whether other patients are referred, or whether the value is measured or recorded in another way.",
    "more": (
        "Ask whether the laboratory, its antibody or way of counting, the referral or the machine has changed. If the "
        "patients have, the estimates are too low for them: recalibrate before they are used on."
    ),
    "fewer": (
        "Ask whether the laboratory, its antibody or way of counting, the referral or the machine has changed. If the "
        "patients have, the estimates are too high for them: recalibrate before they are used on."
    ),
}


@dataclass(frozen=True)
class Alarm:
    """One alarm."""

    kind: Literal["drift", "calibration"]  # what raised it
    about: str  # name of the input, or side of the chart
    when: str  # window, or patient with a known outcome, that raised it first or last
    # found, action: what was found, and what to do
    found: str
    action: str

    @property
    def sentence(self) -> str:
        """Say both."""
        return f"{self.found} {self.action}"


def mark_alarms(drift: pd.DataFrame) -> pd.Series:
    """Say which comparisons, of ``n_window`` patients, ``p_adjusted`` and ``psi``, raise an alarm."""
    spent = FALSE_ALARMS / 2 * (drift["n_window"] / PERIOD).clip(upper=1.0)
    return (drift["p_adjusted"] <= spent) & (drift["psi"] >= RELEVANT)


def list_drift_alarms(drift: pd.DataFrame) -> list[Alarm]:
    """Give one alarm for each input that differed in a window or more, the image score first."""
    alarms = []
    for name, rows in drift[drift["is_alarm"]].groupby("input", sort=False):
        last, count = rows.iloc[-1], len(rows)
        windows = f"the window {last['window']}" if count == 1 else f"{count} windows, last in {last['window']}"
        found = (
            f"{last['label']} differs from training in {windows}: {last['test']}, adjusted p "
            f"{_write_small(last['p_adjusted'])}, stability index {last['psi']:.2f} (by chance up to "
            f"{last['psi_by_chance']:.2f}), n = {last['n']:,}."
        )
        key = SCORE if name == SCORE else UNKNOWN if str(name).endswith(UNKNOWN) else "other"
        alarms.append(Alarm("drift", str(name), str(last["window"]), found, DO[key]))
    return alarms


def describe_crossing(crossing: Crossing, months: "pd.Series[str]") -> Alarm:
    """Say what a CUSUM chart found; months are those of the patients with a known outcome, in order."""
    side: Side = crossing.side
    n = crossing.end - crossing.start + 1
    found = (
        f"{side.capitalize()} patients had a high Ki-67 than estimated: at patient {crossing.end + 1:,} with a known "
        f"outcome (examined {months.iloc[crossing.end]}) the chart passed its limit, and most likely the change began "
        f"with patient {crossing.start + 1:,} ({months.iloc[crossing.start]}). Of these {n:,} {crossing.observed:,} "
        f"were high and {crossing.expected:.1f} expected."
    )
    return Alarm("calibration", side, f"patient {crossing.end + 1:,}", found, DO[side])


def _write_small(p: float) -> str:
    return "< 0.0001" if p < 0.0001 else f"= {p:.4f}"

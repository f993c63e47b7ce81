"""Everything that is watched of one bundle's estimates, computed at once into one frozen result."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from core.monitoring.agreement import compare_outcomes
from core.monitoring.alarms import FALSE_ALARMS, Alarm, describe_crossing, list_drift_alarms, mark_alarms
from core.monitoring.cusum import LEAST as LEAST_KNOWN
from core.monitoring.cusum import CusumResult, compute_cusum
from core.monitoring.drift import COLUMNS, LEAST, compare_window, encode_inputs
from core.monitoring.reading import Estimates
from core.monitoring.reference import Reference
from core.monitoring.windows import By, Windows, choose_patients, count_windows, cut_windows
from core.register.patients import mark_one_kind
from core.register.witness import Anchor

MOST = 60
QUARTILES = (0.25, 0.5, 0.75)
FEWEST = 10
MOST_CROSSINGS = 5


@dataclass(frozen=True)
class Scope:
    """Which estimates are watched, and how."""

    bundle_sha256: str  # bundle that made them
    centre: str | None = None  # where; None for all
    by: By = "patients"  # "patients", "month", windows


@dataclass(frozen=True, eq=False)
class Monitoring:
    """What was found."""

    scope: Scope  # of which estimates
    last: Anchor  # the chain's last entry when they were read
    bundle: str  # the bundle's name
    # patients, estimates, with_outcome, late, undated: patients and their estimates; those whose outcome is known and
    # was entered after the estimate, and before it (left out wherever outcomes are compared); without a date of
    # examination (that of the entry stands for it)
    patients: int
    estimates: int
    with_outcome: int
    late: int
    undated: int
    withheld: int  # entries of the whole register that do not hold and are left out
    earlier: int  # windows before the newest 60, which are not shown one by one
    trained_on: int  # training patients that inputs are compared with
    training_score: tuple[float, float, float] | None  # quartiles of their image score
    made_up: int  # simulated patients who are left out beside real ones
    is_simulated: bool  # whether the patients are made up
    # volumes, missing, scores, drift, agreement: by window, of `count_windows`, of `_spread_scores`, of
    # `compare_window` (with ``window, n_window, is_alarm``), of `compare_outcomes`
    volumes: pd.DataFrame
    missing: pd.DataFrame
    scores: pd.DataFrame
    drift: pd.DataFrame
    agreement: pd.DataFrame
    cusum: CusumResult  # over all patients whose outcome is known
    months: pd.Series  # month of each of these
    alarms: tuple[Alarm, ...]  # those of drift first; of the CUSUM chart the newest 5
    lack: str  # why inputs are not compared with training; empty where they are

    @property
    def not_judged(self) -> list[str]:
        """What can't raise an alarm here, and why."""
        drift = "no training patients at hand" if self.lack else f"no full window of {LEAST} patients yet"
        few = f"{self.with_outcome:,} of {LEAST_KNOWN} patients with a known outcome"
        told = {f"drift ({drift})": self.drift.empty, f"calibration in the large ({few})": not self.cusum.limits}
        return [words for words, is_missing in told.items() if is_missing]


def list_bundles(estimates: Estimates) -> dict[str, str]:
    """Give the bundles that made the register's estimates, by hash, the one with the newest estimate first."""
    last = estimates.table[["bundle_sha256", "bundle"]].astype(str).drop_duplicates("bundle_sha256", keep="last")
    return dict(zip(last["bundle_sha256"][::-1], last["bundle"][::-1], strict=True))


def monitor(estimates: Estimates, scope: Scope, reference: Reference, *, today: pd.Timestamp) -> Monitoring | None:
    """Watch one bundle's estimates.

    Parameters
    ----------
    estimates : Estimates
        The register's.
    scope : Scope
        Which of them.
    reference : Reference
        Of the bundle in use; where another bundle made the estimates, inputs are not compared with training.
    today : Timestamp
        The month of today is not judged yet.

    Returns
    -------
    Monitoring or None
        None where there is no estimate.
    """
    table = estimates.table
    is_meant = (table["bundle_sha256"] == scope.bundle_sha256).to_numpy()
    if scope.centre is not None:
        is_meant = is_meant & (table["centre"] == scope.centre).to_numpy()
    if not is_meant.any():
        return None
    meant = table[is_meant]
    is_counted = mark_one_kind(meant["is_simulated"])
    patients = choose_patients(meant[is_counted])
    is_own = reference.bundle_sha256 == scope.bundle_sha256
    known = patients["is_prospective"] & patients["ki67_pct"].notna()
    is_high = reference.cutoff.is_high(patients["ki67_pct"]).astype(float).where(known)
    p, y = (np.asarray(column, dtype=np.float64) for column in (patients["prob"], is_high))
    cusum = compute_cusum(p[known], y[known], false_alarms=FALSE_ALARMS / 2)
    months = pd.Series(patients["day"][known].to_numpy().astype("datetime64[M]").astype(str))
    shown, windows, earlier = _take_newest(patients, cut_windows(patients["day"], scope.by, today=today))
    training = reference.training if is_own else None
    drift = _compare_windows(shown, windows, training)
    volumes, missing = count_windows(shown, windows, reference.indeterminate if is_own else None)
    crossings = [describe_crossing(one, months) for one in cusum.crossings[-MOST_CROSSINGS:]]
    return Monitoring(
        scope,
        estimates.last,
        str(patients["bundle"].iloc[-1]),
        patients=len(patients),
        estimates=int(patients["estimates"].sum()),
        with_outcome=int(known.sum()),
        late=int((~patients["is_prospective"]).sum()),
        undated=int((~patients["has_date"]).sum()),
        withheld=estimates.withheld,
        earlier=earlier,
        trained_on=0 if training is None else len(training),
        training_score=None if training is None else _find_quartiles(training),
        made_up=meant.loc[~is_counted, "patient"].nunique(),
        is_simulated=bool(patients["is_simulated"].any()),
        volumes=volumes,
        missing=missing,
        scores=_spread_scores(shown, windows),
        drift=drift,
        agreement=compare_outcomes(p[-len(shown) :], y[-len(shown) :], windows),
        cusum=cusum,
        months=months,
        alarms=(*list_drift_alarms(drift), *crossings),
        lack="" if training is not None else _explain_lack(is_own),
    )


def _explain_lack(is_own: bool) -> str:
    if is_own:
        return "The bundle holds no values of its training patients, so inputs can't be compared with training."
    return (
        "These estimates were made by another bundle than the one in use, and its folder is not in that of "
        "SONOKI_BUNDLES: inputs can't be compared with training, and the indeterminate range is not known. The Ki-67 "
        "cut-off is that of the bundle in use."
    )


def _take_newest(patients: pd.DataFrame, windows: Windows) -> tuple[pd.DataFrame, Windows, int]:
    """Keep the newest 60 windows; how many are left out."""
    earlier = max(len(windows.table) - MOST, 0)
    is_shown = windows.codes >= earlier
    kept = Windows(windows.codes[is_shown] - earlier, windows.table.iloc[earlier:].reset_index(drop=True))
    return patients[is_shown].reset_index(drop=True), kept, earlier


def _compare_windows(patients: pd.DataFrame, windows: Windows, training: pd.DataFrame | None) -> pd.DataFrame:
    own, other = (None if table is None else encode_inputs(table) for table in (training, patients))
    parts = []
    for code, row in windows.table.iterrows():
        if own is None or other is None or not row["is_full"] or row["n"] < LEAST:
            continue
        window = {name: column[windows.codes == code] for name, column in other.items()}
        parts.append(compare_window(own, window).assign(window=row["window"], n_window=row["n"]))
    if not parts:
        return pd.DataFrame(columns=[*COLUMNS, "window", "n_window", "is_alarm"]).astype({"is_alarm": bool})
    drift = pd.concat(parts, ignore_index=True)
    return drift.assign(is_alarm=mark_alarms(drift))


def _find_quartiles(training: pd.DataFrame) -> tuple[float, float, float]:
    low, middle, high = training["image_score"].quantile(list(QUARTILES))
    return float(low), float(middle), float(high)


def _spread_scores(patients: pd.DataFrame, windows: Windows) -> pd.DataFrame:
    """Give quartiles of the image score by window; of fewer than 10 patients none."""
    grouped = patients["image_score"].groupby(windows.codes)
    table = grouped.quantile(np.array(QUARTILES)).unstack().set_axis(["q1", "median", "q3"], axis="columns")
    table = table.where(grouped.size() >= FEWEST)
    return windows.table[["window", "n"]].join(table)

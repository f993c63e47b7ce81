"""Alarms, and who came: volumes, the gate's verdicts, missing values, the indeterminate share."""

from dataclasses import dataclass
from typing import ClassVar

import pandas as pd
import plotly.graph_objects as go

from core.clinical import BY_NAME, M1_PREDICTORS
from core.evaluation.estimate import write_percent
from core.figures.theme import PERCENT, style_series
from core.figures.wording import shorten_label, word_count
from core.monitoring.alarms import RULE
from core.monitoring.exhibits.exhibit import MOST_ROWS, WatchExhibit, draw_over_windows, name_windows, take_newest
from core.monitoring.monitor import MOST, MOST_CROSSINGS

SHARES = {"indeterminate": "Indeterminate", "cautioned": "Gate: caution", "missing": "A value not known"}


@dataclass(frozen=True, eq=False)
class AlarmsExhibit(WatchExhibit):
    """What was found, and what to do."""

    name: ClassVar[str] = "alarms"
    title: ClassVar[str] = "Alarms"

    def sentence(self) -> str:
        """Say how many, and of whom."""
        found = self.found
        what = word_count(len(found.alarms), "alarm") if found.alarms else "No alarm"
        blind = f" Not judged: {'; '.join(found.not_judged)}." if found.not_judged else ""
        return (
            f"{what} in {self.cohort}: {word_count(found.patients, 'patient')}, {found.with_outcome:,} with a Ki-67 "
            f"found after the estimate.{blind}"
        )

    def cautions(self) -> list[str]:
        """Say each alarm."""
        return [alarm.sentence for alarm in self.found.alarms]

    def notes(self) -> list[str]:
        """Say what is left out, and when an alarm is raised."""
        found, notes = self.found, []
        if found.late:
            notes.append(
                f"{found.late:,} patients were estimated after their outcome had been entered: it is not compared."
            )
        if found.withheld:
            notes.append(
                f"{found.withheld:,} entries of the register do not hold and are left out. "
                "Tell the database administrator."
            )
        if found.made_up:
            notes.append(f"{found.made_up:,} simulated patients are left out: they are never mixed with real ones.")
        if found.undated:
            notes.append(
                f"Of {found.undated:,} patients the date of the examination is not known; that of the entry stands for "
                "it."
            )
        if found.earlier:
            notes.append(
                f"{found.earlier:,} windows before the newest {MOST} are not judged one by one; the CUSUM chart holds "
                "all patients."
            )
        if len(found.cusum.crossings) > MOST_CROSSINGS:
            times = len(found.cusum.crossings)
            notes.append(f"The CUSUM chart passed a limit {times:,} times; the newest {MOST_CROSSINGS} are told.")
        return [*notes, *([found.lack] if found.lack else []), RULE]

    def tables(self) -> dict[str, pd.DataFrame]:
        """Give no table to read: the alarms are sentences."""
        return {}

    def data(self) -> pd.DataFrame:
        """Give a row an alarm."""
        return pd.DataFrame([vars(alarm) for alarm in self.found.alarms])

    def record(self) -> dict[str, object]:
        """Give the alarms."""
        return {"alarms": [vars(alarm) for alarm in self.found.alarms], "not_judged": self.found.not_judged}


@dataclass(frozen=True, eq=False)
class VolumesExhibit(WatchExhibit):
    """Patients by window."""

    name: ClassVar[str] = "volumes"
    title: ClassVar[str] = "Patients, gate and missing values"

    def figure(self) -> go.Figure:
        """Draw shares of each window's patients."""
        table = self._measure_shares()
        figure = draw_over_windows(table["window"].tolist(), "Share of patients", name_windows(self.found))
        for number, (name, label) in enumerate(SHARES.items()):
            if table[name].notna().any():
                figure.add_scatter(
                    x=list(range(len(table))), y=table[name], mode="lines+markers", name=label, **style_series(number)
                )
        return figure.update_yaxes(range=[-0.02, 1.02], **PERCENT)

    def sentence(self) -> str:
        """Say the newest window's shares beside those of all."""
        volumes, shares = self.found.volumes, self._measure_shares()
        n = int(volumes["n"].sum())
        said = [
            f"{label.lower()} {write_percent(float((shares[name] * volumes['n']).sum() / n))} "
            f"(newest window {write_percent(float(shares[name].iloc[-1]))})"
            for name, label in SHARES.items()
            if shares[name].notna().any()
        ]
        return (
            f"{word_count(n, 'patient')} in {word_count(len(volumes), 'window')} of {self.cohort}: {'; '.join(said)}."
        )

    def notes(self) -> list[str]:
        """Say what the register can't tell."""
        return ["Images that the gate refused have no estimate and are not in the register."]

    def tables(self) -> dict[str, pd.DataFrame]:
        """Give counts by window, and how often each value is not known."""
        volumes = self.found.volumes
        counts = pd.DataFrame(
            {
                "Window": volumes["window"],
                "From": volumes["first"],
                "To": volumes["last"],
                "Patients": volumes["n"],
                "Estimates": volumes["estimates"],
                "Outcome known": volumes["with_outcome"],
                "Gate: passed": volumes["passed"],
                "Gate: caution": volumes["cautioned"],
                "Gate: not told": volumes["gate_unknown"],
                "Indeterminate": volumes["indeterminate"].map(lambda n: "not known" if pd.isna(n) else f"{n:.0f}"),
            }
        )
        names = {name: shorten_label(BY_NAME[name].label) for name in M1_PREDICTORS}
        named = {"window": "Window", "n": "Patients", "any": "Any", **names}
        missing = self.found.missing.rename(columns=named)
        return {
            f"Patients, newest {MOST_ROWS} windows": take_newest(counts),
            f"Values not known, newest {MOST_ROWS} windows": take_newest(missing),
        }

    def data(self) -> pd.DataFrame:
        """Give both tables as one."""
        missing = self.found.missing.drop(columns=["window", "n"]).add_prefix("not_known_")
        return self.found.volumes.join(missing)

    def record(self) -> dict[str, object]:
        """Give a row a window."""
        return {"volumes": self.data()}

    def _measure_shares(self) -> pd.DataFrame:
        volumes, missing = self.found.volumes, self.found.missing
        shares = volumes[["indeterminate", "cautioned"]].div(volumes["n"], axis=0)
        return shares.assign(window=volumes["window"], missing=missing["any"] / volumes["n"])

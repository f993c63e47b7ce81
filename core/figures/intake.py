"""How many images of each kind a bundle takes, as a table."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from core.evaluation.proportion import compute_proportion

_CLINICS = {"busbra": "BUS-BRA", "busi": "BUSI", "bus_uclm": "BUS-UCLM"}
_COLUMNS = {"Passed": "passed", "With a caution": "cautioned", "Refused": "refused"}


def tabulate_intake(rates: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Set counts of images passed, cautioned and refused side by side, each with its share and Wilson's interval."""
    return pd.DataFrame(
        [
            {"Images": _name_kind(rate["kind"]), "n": f"{rate['n']:,}"}
            | {name: _describe_share(rate[key], rate["n"]) for name, key in _COLUMNS.items()}
            for rate in rates
        ]
    )


def _describe_share(count: int, n: int) -> str:
    share, low, high = (100 * value for value in compute_proportion(count, n))
    return f"{count:,}: {share:.0f} % ({low:.0f} to {high:.0f})"


def _name_kind(kind: str) -> str:
    """Write a clinic as its data set is called."""
    name, comma, rest = kind.partition(",")
    return _CLINICS.get(name, name) + comma + rest

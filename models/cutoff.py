"""The Ki-67 cut-off: which tumours count as high."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, overload

if TYPE_CHECKING:
    import pandas as pd

RULES = (">=", ">")


@dataclass(frozen=True)
class Cutoff:
    """A cut-off with its rule.

    Raises
    ------
    ValueError
        If the value is no per cent or the rule is another.
    """

    value: float = 20.0  # Ki-67 in per cent, 0 to 100
    rule: str = ">="  # ">=", ">", whether a Ki-67 of just `value` is high (">=") or not (">")

    def __post_init__(self) -> None:
        """Refuse what is no cut-off."""
        if not 0 <= self.value <= 100:
            raise ValueError(f"The Ki-67 cut-off is {self.value:g}; give a per cent between 0 and 100.")
        if self.rule not in RULES:
            raise ValueError(f"The rule of the Ki-67 cut-off is '{self.rule}'; give '>=' or '>'.")

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> "Cutoff":
        """Read it from a bundle's manifest."""
        return cls(float(record["value"]), str(record["rule"]))

    def to_json(self) -> dict[str, object]:
        """Write it as a bundle's manifest holds it."""
        return asdict(self)

    @overload
    def is_high(self, ki67_pct: float) -> bool: ...
    @overload
    def is_high(self, ki67_pct: "pd.Series[Any]") -> "pd.Series[bool]": ...
    def is_high(self, ki67_pct: "float | pd.Series[Any]") -> "bool | pd.Series[bool]":
        """Whether a Ki-67 in per cent is high, one or a column; a missing one is not."""
        return ki67_pct >= self.value if self.rule == ">=" else ki67_pct > self.value

    @property
    def words(self) -> str:
        """The cut-off in words: "20 % or more", "more than 20 %"."""
        return f"{self.value:g} % or more" if self.rule == ">=" else f"more than {self.value:g} %"


DEFAULT_CUTOFF = Cutoff()

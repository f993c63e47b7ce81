"""The threshold and the cut-off that a bundle fixed before its predictions are evaluated."""

import json
from dataclasses import dataclass
from pathlib import Path

from core.errors import TableError
from models.bundle import Bundle
from models.cutoff import Cutoff

SUFFIX = ".threshold.json"


@dataclass(frozen=True)
class FrozenRule:
    """What a bundle fixed."""

    threshold: float  # probability from which Ki-67 is called high
    chosen_on: str  # the data that it was chosen on, with the bundle's name
    cutoff: Cutoff  # Ki-67 that counts as high
    bundle_sha256: str  # the bundle's identity

    @classmethod
    def of(cls, bundle: Bundle) -> "FrozenRule":
        """Read it from a bundle's manifest."""
        chosen_on = f"{bundle.manifest.chosen_on} of the bundle {bundle.name}"
        return cls(bundle.manifest.call_rule.threshold, chosen_on, bundle.cutoff, bundle.sha256)

    @classmethod
    def find(cls, table: Path) -> "FrozenRule | None":
        """Read what `write` left beside a prediction table; None if nothing lies there."""
        path = table.with_name(table.name + SUFFIX)
        if not path.exists():
            return None
        try:
            record = json.loads(path.read_text(encoding="utf-8"))
            cutoff = Cutoff.from_json(record["cutoff"])
            rule = cls(float(record["threshold"]), str(record["chosen_on"]), cutoff, str(record["bundle_sha256"]))
        except (KeyError, OSError, RecursionError, TypeError, ValueError):
            raise TableError(f"{path.name} beside the table is damaged: delete it, or give --threshold.") from None
        if not 0 < rule.threshold < 1:
            raise TableError(f"{path.name} beside the table has the threshold {rule.threshold:g}, outside 0 to 1.")
        return rule

    def describe_origin(self, cutoff: Cutoff) -> str:
        """Say what data the threshold was chosen on, and for which cut-off where the table is judged by another."""
        if cutoff == self.cutoff:
            return self.chosen_on
        return f"{self.chosen_on}, for Ki-67 of {self.cutoff.words} and not for {cutoff.words}, which is judged here"

    def write(self, table: Path) -> Path:
        """Write it beside a prediction table."""
        path = table.with_name(table.name + SUFFIX)
        record = {
            "threshold": self.threshold,
            "chosen_on": self.chosen_on,
            "cutoff": self.cutoff.to_json(),
            "bundle_sha256": self.bundle_sha256,
        }
        path.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
        return path

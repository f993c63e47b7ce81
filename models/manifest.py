"""A bundle's manifest: what the model answers, from what, and what it was trained on."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from models.call_rule import CallRule
from models.cutoff import Cutoff
from models.input_rule import InputRule
from models.sealed import read_flag, read_number, read_numbers

PERCENTILES = 100
THRESHOLD_RULES = {
    "youden": "Youden's index",
    "sensitivity": "a wanted sensitivity",
    "specificity": "a wanted specificity",
}


@dataclass(frozen=True)
class TrainingData:
    """Patients that a bundle was trained on."""

    description: str  # a sentence of who made them
    is_simulated: bool  # whether they are simulated
    sha256: str  # hash of the manifest of the images
    n_patients: int  # patients of all splits
    external_centres: tuple[str, ...]  # centres kept for the external test
    is_few: bool = False  # whether fewer patients than a model needs were trained on, for trying out

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "TrainingData":
        """Read them from the manifest's "training_data"."""
        centres = tuple(map(str, data["external_centre"]))
        description, sha256 = str(data["description"]), str(data["sha256"])
        few, count = read_flag(data.get("few", False)), read_number(data["n_patients"], 0)
        return cls(description, read_flag(data["simulated"]), sha256, int(count), centres, few)


@dataclass(frozen=True)
class BetweenViews:
    """How far the image scores of two views of one patient lie apart, among patients of whom two are known."""

    source: str  # who they are, as it stands in a sentence: "811 patients of BUS-BRA"
    quantiles: tuple[float, ...]  # (101,), percentiles 0 to 100 of the absolute difference of the image score

    @classmethod
    def of(cls, differences: Iterable[float], source: str) -> "BetweenViews":
        """Describe the absolute differences of some patients."""
        sizes = np.abs(np.fromiter(differences, dtype=np.float64))
        return cls(source, tuple(np.percentile(sizes, np.linspace(0, 100, PERCENTILES + 1)).round(4).tolist()))

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "BetweenViews":
        """Read what `to_json` gave."""
        quantiles = tuple(read_numbers(data["quantiles"]).tolist())
        if len(quantiles) != PERCENTILES + 1 or np.any(np.diff(quantiles) < 0):
            raise ValueError("the percentiles between views are not 101 rising numbers")
        return cls(str(data["source"]), quantiles)

    def to_json(self) -> dict[str, object]:
        """Give it as JSON types."""
        return {"source": self.source, "quantiles": list(self.quantiles)}

    def rank(self, difference: float) -> float:
        """Give the share of the patients whose views lie less far apart, 0 to 1."""
        return float(np.searchsorted(self.quantiles, abs(difference)) / len(self.quantiles))


@dataclass(frozen=True)
class Manifest:
    """What manifest.json says of a bundle."""

    # name, positive_class: name of the bundle; what its probability is of
    name: str
    positive_class: str
    cutoff: Cutoff  # Ki-67 that counts as high
    call_rule: CallRule  # threshold and indeterminate range
    # threshold_rule, chosen_on: how the threshold was chosen, and on which splits
    threshold_rule: str
    chosen_on: str
    indeterminate_rule: str  # how the indeterminate range was chosen
    input: InputRule  # what the network is given
    # architecture, backbone_path, backbone_sha256: the network, the folder of its weights relative to the bundle's, and
    # their hash
    architecture: str
    backbone_path: str
    backbone_sha256: str
    predictors: tuple[str, ...]  # clinical fields of model M1
    training_data: TrainingData  # who it was trained on
    seed: int  # seed of the training
    versions: Mapping[str, str]  # version of each library of the training
    files: Mapping[str, str]  # hash of each file of the bundle
    # name and hash of the bundles that it was made from; empty where it was trained
    parents: tuple[tuple[str, str], ...] = ()
    threshold_interval: tuple[float, ...] = ()  # 95 % interval of the threshold; empty where it was not measured
    between_views: BetweenViews | None = None  # how far two views of a patient differ; None where it was not measured

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Manifest":
        """Read it from manifest.json; what it lacks is a KeyError, what has another type a TypeError or ValueError."""
        threshold, zone, backbone = data["threshold"], data["no_call"], data["backbone"]
        return cls(
            name=str(data["name"]),
            positive_class=str(data["positive_class"]),
            cutoff=Cutoff.from_json(data["cutoff"]),
            call_rule=CallRule(read_number(threshold["value"], 0, 1), _read_range(zone)),
            threshold_rule=name_threshold_rule(str(threshold["rule"])),
            chosen_on=str(threshold["chosen_on"]),
            indeterminate_rule=str(zone["rule"]),
            input=InputRule.from_json(data["input"]),
            architecture=str(backbone["architecture"]),
            backbone_path=str(backbone["path"]),
            backbone_sha256=str(backbone["sha256"]),
            predictors=tuple(map(str, data["predictors"])),
            training_data=TrainingData.from_json(data["training_data"]),
            seed=int(read_number(data["seeds"]["training"])),
            versions={str(name): str(version) for name, version in data["versions"].items()},
            files={str(name): str(sha256) for name, sha256 in data["files"].items()},
            parents=tuple((str(one["name"]), str(one["sha256"])) for one in data.get("parents", ())),
            threshold_interval=tuple(read_number(edge, 0, 1) for edge in threshold.get("interval") or ()),
            between_views=BetweenViews.from_json(data["between_views"]) if data.get("between_views") else None,
        )


def _read_range(zone: Mapping[str, Any]) -> tuple[float, float]:
    low = read_number(zone["low"], 0, 1)
    return low, read_number(zone["high"], low, 1)


def name_threshold_rule(rule: str) -> str:
    """Name the rule that chose a threshold, as people read it."""
    return THRESHOLD_RULES.get(rule, rule)

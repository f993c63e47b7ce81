"""A bundle's evidence as tables: figures by split, flow of patients, coefficients."""

import json
from collections.abc import Mapping
from typing import Any

import pandas as pd

from core.clinical import FIELDS
from core.cohort.splits import SPLITS, label_split
from core.errors import ModelError
from core.evaluation.estimate import NOT_ESTIMABLE, write_estimate
from core.inference.engines.choice import describe_choice
from core.inference.explain import label_term
from core.settings import get_text_setting
from models.bundle import Bundle

METRICS = "evidence/metrics.json"
FLOW = "evidence/flow.json"
PREDICTIONS = "evidence/predictions.csv"
INTERNAL = "evidence/internal.json"
INTAKE = "evidence/intake.json"
RATES = {
    "sensitivity": "Sensitivity",
    "specificity": "Specificity",
    "ppv": "Positive predictive value",
    "npv": "Negative predictive value",
}


def name_cohort(bundle: Bundle) -> str:
    """Name the patients of a bundle's evidence as sentences call them."""
    name = "the simulated cohort" if bundle.is_simulated else "the bundle's cohort"
    return f"{name} (model for trying out only)" if bundle.is_few else name


def read_intake(bundle: Bundle) -> list[dict[str, object]] | None:
    """Read how many images of each kind a bundle passes, cautions and refuses; None where it was not measured."""
    if INTAKE not in bundle.manifest.files:
        return None
    return list(json.loads((bundle.folder / INTAKE).read_text(encoding="utf-8")))


def read_evidence(bundle: Bundle, name: str) -> dict[str, Any]:
    """Read one JSON file of a bundle's evidence; its hash was verified with the bundle's."""
    if name not in bundle.manifest.files:
        raise ModelError(f"The bundle has no {name}: train it again to get its figures.")
    return dict(json.loads((bundle.folder / name).read_text(encoding="utf-8")))


def read_internal(bundle: Bundle) -> dict[str, object] | None:
    """Read what the training patients say of the model; None where it was not measured."""
    return read_evidence(bundle, INTERNAL) if INTERNAL in bundle.manifest.files else None


def describe_engine() -> str:
    """Say on what the network runs, by the setting "engine" and this machine; nothing is loaded for it."""
    return f"The network runs in {describe_choice(get_text_setting('engine'))}."


def tabulate_metrics(metrics: Mapping[str, Mapping[str, object]]) -> pd.DataFrame:
    """Set the figures of the splits side by side, each with its interval."""
    columns = {label_split(split): _list_figures(part) for split, part in metrics.items()}
    names = list(dict.fromkeys(name for column in columns.values() for name in column))
    table = {split: [column.get(name, NOT_ESTIMABLE) for name in names] for split, column in columns.items()}
    return pd.DataFrame({"Figure": names, **table})


def tabulate_flow(flow: Mapping[str, Any]) -> pd.DataFrame:
    """List the splits with their centres and patients."""
    return pd.DataFrame(
        [
            {
                "Split": label_split(name),
                "Centres": ", ".join(part["centres"]),
                "Patients": part["n"],
                "High Ki-67": f"{part['events']} ({100 * part['events'] / part['n']:.0f} %)",
            }
            for name, part in sorted(flow["splits"].items(), key=lambda item: _place(item[0]))
        ]
    )


def tabulate_coefficients(bundle: Bundle) -> pd.DataFrame:
    """List the coefficients of the fusion in log-odds, with their bootstrap interval."""
    head = bundle.fusion_heads["m1"]
    names = ["Intercept", label_term("image"), *(label_term(term.field) for term in head.terms)]
    values = [head.intercept, head.image_coef, *head.coefs]
    boot = pd.DataFrame(head.bootstrap).quantile([0.025, 0.975])
    return pd.DataFrame(
        {
            "Term": names,
            "Log-odds": [f"{value:+.2f}" for value in values],
            "95 % interval": [f"{boot[i].iloc[0]:+.2f} to {boot[i].iloc[1]:+.2f}" for i in range(len(values))],
        }
    )


def tabulate_dictionary() -> pd.DataFrame:
    """List every field of the data dictionary."""
    return pd.DataFrame(
        [
            {
                "Name": field.name,
                "Label": field.label,
                "Values": field.describe_values(),
                "Known at": field.available_at,
                "Role": field.role,
                "Codes": field.codes,
                "Note": field.note,
            }
            for field in FIELDS
        ]
    )


def _place(split: str) -> tuple[int, str]:
    """Sort splits as they follow each other in a study, unknown ones last."""
    return (SPLITS.index(split) if split in SPLITS else len(SPLITS), split)


def _list_figures(part: Mapping[str, Any]) -> dict[str, str]:
    figures = {"Patients": str(part["n"]), "With high Ki-67": str(part["events"])}
    roc = part["discrimination"] or {}
    figures["AUC"] = _write(roc.get("auc"), roc.get("auc_ci"))
    confusion = part["confusion"] or {}
    for name, label in RATES.items():
        entry = confusion.get(name) or {}
        figures[label] = _write(entry.get("value"), entry.get("ci"))
    calibration = part["calibration"] or {}
    for name in ("intercept", "slope"):
        entry = calibration.get(name) or {}
        figures[f"Calibration {name}"] = _write(entry.get("est"), entry.get("ci"))
    figures["Brier score"] = _write(calibration.get("brier"), calibration.get("brier_ci"))
    return figures


def _write(value: float | None, interval: list[float] | None) -> str:
    return write_estimate(value, interval, level=None, digits=2)


def tabulate_learning(internal: Mapping[str, Any]) -> pd.DataFrame:
    """List what more training patients bring, tested on the validation and test splits."""
    return pd.DataFrame(
        [
            {
                "Training patients": row["n_train"],
                "Draws": row["draws"],
                "AUC (standard deviation)": f"{row['auc']:.3f} ({row['auc_sd']:.3f})",
                "Calibration slope (standard deviation)": f"{row['slope']:.2f} ({row['slope_sd']:.2f})",
            }
            for row in internal["learning_curve"]
        ]
    )


def describe_sizes(internal: Mapping[str, Any]) -> list[str]:
    """Say how many patients Riley et al. ask for, and how much the probabilities vary over refits."""
    sentences = []
    for name, verb in (("sample_size", "train"), ("validation_size", "validate")):
        if size := internal.get(name):
            sentences.append(f"To {verb} such a model Riley et al. ask for **{size['needed']:,} patients**.")
    if unstable := internal.get("instability"):
        sentences.append(
            f"Trained on other patients, a patient's probability differs by **{100 * unstable['error']:.1f} percentage "
            f"points** on average ({unstable['n_refits']} refits)."
        )
    optimism = internal["optimism"]["slope"]
    sentences.append(
        f"Calibration slope on the training patients {optimism['apparent']:.2f}; corrected for optimism, the whole fit "
        f"repeated in each refit: **{optimism['corrected']:.2f}**."
    )
    return sentences

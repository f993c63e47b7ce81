"""How a bundle came from others: the tests and figures of its update, or how the sites of a federation differ."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from core.evaluation.estimate import write_number, write_p
from core.figures.evidence import read_evidence
from core.inference.explain import label_term
from core.training.update.card import METHOD_WORDS
from models.bundle import Bundle

UPDATE, FEDERATION = "evidence/update.json", "evidence/federation.json"
OPTIMISM = {"auc": "AUC", "brier": "Brier score", "intercept": "Calibration intercept", "slope": "Calibration slope"}


def read_update(bundle: Bundle) -> dict[str, object] | None:
    """Read how a bundle was updated; None where it was not."""
    return read_evidence(bundle, UPDATE) if UPDATE in bundle.manifest.files else None


def read_federation(bundle: Bundle) -> dict[str, object] | None:
    """Read which sites a bundle is of; None where it is of one."""
    return read_evidence(bundle, FEDERATION) if FEDERATION in bundle.manifest.files else None


def describe_update(update: Mapping[str, Any]) -> str:
    """Say from what, by whom, why and on whom a bundle was updated."""
    parent, patients = update["parent"], update["patients"]
    whom = f"{patients['n']} {patients['kind']} patients of the register, {patients['events']} with a high Ki-67"
    return (
        f"From {parent['name']} ({parent['sha256'][:12]}) by {update['author']}: {update['note']} "
        f"{METHOD_WORDS[update['method']].capitalize()}, on {whom}; the register was read to entry "
        f"{update['register']['number']}."
    )


def tabulate_tests(update: Mapping[str, Any]) -> pd.DataFrame:
    """List the tests of the closed testing procedure: the refit against each lesser update."""
    return pd.DataFrame(
        [
            {
                "Refit against": METHOD_WORDS[name],
                "Chi-squared": write_number(row["chisq"], 2),
                "Degrees of freedom": f"{row['df']:.0f}",
                "p": write_p(row["p"]).removeprefix("p = ").removeprefix("p "),
            }
            for name, row in update["tests"].items()
            if row["p"] is not None
        ]
    )


def tabulate_optimism(update: Mapping[str, Any]) -> pd.DataFrame:
    """List the figures on the patients of the update, as they look and corrected for optimism."""
    figures = update["optimism"]
    return pd.DataFrame(
        [
            {
                "Figure": label,
                "On these patients": write_number(figures[name]["apparent"]),
                "Corrected for optimism": write_number(figures[name]["corrected"]),
            }
            for name, label in OPTIMISM.items()
        ]
    )


def tabulate_heterogeneity(federation: Mapping[str, Any]) -> pd.DataFrame:
    """List the pooled coefficients and how much the sites differ in each."""
    rows = []
    for row in federation["coefficients"]:
        low, high = row["prediction_low"], row["prediction_high"]
        rows.append(
            {
                "Term": _name_term(row["term"]),
                "Log-odds": f"{row['estimate']:+.2f}",
                "Standard error": write_number(row["se"], 2),
                "Tau": write_number(row["tau"], 2),
                "I squared": f"{100 * row['i2']:.0f} %",
                "Expected at a new site (95 %)": "needs three sites" if low is None else f"{low:+.2f} to {high:+.2f}",
            }
        )
    return pd.DataFrame(rows)


def _name_term(term: str) -> str:
    return "Intercept" if term == "intercept" else label_term(term)


def tabulate_sites(federation: Mapping[str, Any]) -> pd.DataFrame:
    """List the sites, their patients, and the coefficients of each one's fusion."""
    names = [_name_term(row["term"]) for row in federation["coefficients"]]
    return pd.DataFrame(
        [
            {"Site": site["site"], "Patients": site["n"], "High Ki-67": site["events"]}
            | {name: f"{value:+.2f}" for name, value in zip(names, site["coefs"], strict=True)}
            for site in federation["sites"]
        ]
    )

"""A small bundle for tests: a seeded random network, heads of plausible size, evidence of made-up patients."""

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from core.clinical import M1_PREDICTORS
from models.bundle import WEIGHTS, write_bundle
from models.fusion import FusionHead, ImageHead, Term
from models.sealed import hash_file
from tests import tools

SEED = 7
ARCHITECTURE = "small"
N_BOOTSTRAP = 200
INPUT = {"size": 96, "context": 1.5, "mean": 0.2, "std": 0.18}
TERMS = (
    Term("age", "linear", 53.0, 10.0, {}, 25.0, 85.0),
    Term("menopausal", "levels", 0.5, 1.0, {"pre": 0.0, "peri": 0.5, "post": 1.0}, 0.0, 1.0),
    Term("palpable", "levels", 0.5, 1.0, {"no": 0.0, "yes": 1.0}, 0.0, 1.0),
    Term("size_mm", "log", 3.0, 0.69, {}, 5.0, 80.0),
    Term("adler", "levels", 1.4, 1.0, {"0": 0.0, "1": 1.0, "2": 2.0, "3": 3.0}, 0.0, 3.0),
    Term("birads", "levels", 2.5, 1.0, {"3": 0.0, "4A": 1.0, "4B": 2.0, "4C": 3.0, "5": 4.0}, 0.0, 4.0),
    Term("aln_suspicious", "levels", 0.3, 1.0, {"negative": 0.0, "suspicious": 1.0}, 0.0, 1.0),
)
COEFS = np.array([-0.2, -0.1, 0.3, 0.6, 0.25, 0.1, 0.5])


@pytest.fixture(autouse=True)
def checked_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let plotly check each property of the figures that are built at once."""
    monkeypatch.setattr("core.figures.theme.VALIDATES", True)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """On several cores the long tests come first, so that no core waits for another at the end."""
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: not any(item.iter_markers("browser")) and not any(item.iter_markers("slow")))


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    for name in (name for mark in item.iter_markers("needs") for name in mark.args):
        if not tools.is_installed(name):
            (pytest.fail if tools.get_mode() == "required" else pytest.skip)(tools.describe_missing(name))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    skipped = [str(report.longrepr) for report in terminalreporter.stats.get("skipped", ())]
    if line := tools.summarise_skips(skipped):
        terminalreporter.write_line(line)


def make_fusion(rng: np.random.Generator) -> FusionHead:
    coefs = np.array([0.1, 0.9, *COEFS])
    bootstrap = coefs + rng.normal(0, 0.1, (N_BOOTSTRAP, len(coefs)))
    mean, cov = np.zeros(len(coefs) - 1), 0.3 * np.eye(len(coefs) - 1) + 0.1
    return FusionHead(0.1, 0.9, TERMS, COEFS, bootstrap, mean, cov, 0.3)


def write_backbone(folder: Path) -> np.ndarray:
    """Write a small network with random weights; return the pooled features of noise images, (n, n_features)."""
    import torch

    from models.architectures import ARCHITECTURES
    from models.efficientnet import EfficientNetLite, Scaling
    from models.exchange import GreyNetwork, write_network

    ARCHITECTURES[ARCHITECTURE] = lambda: EfficientNetLite(Scaling(0.25, 0.3))
    torch.manual_seed(SEED)
    net = GreyNetwork(ARCHITECTURE, INPUT["mean"], INPUT["std"]).eval()
    write_network(net, folder / WEIGHTS, INPUT["size"])
    noise = torch.randint(0, 256, (8, INPUT["size"], INPUT["size"]), dtype=torch.uint8)
    with torch.inference_mode():
        return net(noise).mean(dim=(2, 3)).double().numpy()


def make_predictions(rng: np.random.Generator) -> pd.DataFrame:
    n = 120
    logit = rng.normal(0, 1.2, n)
    prob = 1 / (1 + np.exp(-logit))
    return pd.DataFrame(
        {
            "patient_id": [f"T-{i:03d}" for i in range(n)],
            "split": np.repeat(["train", "validation", "test", "external"], n // 4),
            "centre": np.repeat(["A", "B", "C", "D"], n // 4),
            "y": (rng.random(n) < prob).astype(int),
            "prob": prob,
        }
    )


def write_evidence(folder: Path, rng: np.random.Generator) -> None:
    from core.figures.cohort.evaluate import evaluate_cohort
    from core.training.bundle.evidence import pick_metrics

    folder.mkdir(parents=True)
    table = make_predictions(rng)
    table.to_csv(folder / "predictions.csv", index=False)
    splits = {
        name: {"n": len(part), "events": int(part["y"].sum()), "centres": sorted(set(part["centre"]))}
        for name, part in table.groupby("split", sort=False)
    }
    flow = {"rows": len(table), "rows_refused": 0, "patients": len(table), "splits": splits}
    (folder / "flow.json").write_text(json.dumps(flow), encoding="utf-8")
    metrics = pick_metrics(evaluate_cohort(table, threshold=0.5))
    (folder / "metrics.json").write_text(json.dumps(metrics), encoding="utf-8")


def make_heads(pooled: np.ndarray, rng: np.random.Generator, *, refuse: float) -> dict:
    centre, spread = pooled.mean(axis=0), pooled.std(axis=0) + 1e-3
    n = len(centre)
    weights = {name: 0.1 * rng.normal(size=n) / (spread * n**0.5) for name in ("ki67", "lnm", "malignancy")}
    never = ImageHead(np.zeros(n), 0.0)
    fusion = make_fusion(rng).to_json()
    return {
        "image": {name: ImageHead(w, float(-w @ centre)).to_json() for name, w in weights.items()},
        "fusion": {"m1": fusion, "lnm": fusion},
        "references": {
            "training": {
                "centre": centre.tolist(),
                "spread": spread.tolist(),
                "median": 1.0,
                "caution": 1e6,
            }
        },
        "gate": {"head": never.to_json(), "caution": refuse, "refuse": refuse},
    }


def make_bundle(folder: Path, backbone: Path, pooled: np.ndarray, *, refuse: float = 1.0) -> Path:
    """Write a bundle.

    Every image's log-odds of being no ultrasound are 0, so that a `refuse` below refuses every image.
    """
    rng = np.random.default_rng(SEED)
    shutil.copytree(backbone, folder.parent / "backbone", copy_function=os.link)
    write_evidence(folder / "evidence", rng)
    manifest = {
        "name": "test-bundle",
        "task": "Ki-67 status",
        "positive_class": "high",
        "cutoff": {"value": 20.0, "rule": ">="},
        "input": INPUT,
        "backbone": {"path": "../backbone", "architecture": ARCHITECTURE, "sha256": hash_file(backbone / WEIGHTS)},
        "threshold": {"value": 0.5, "rule": "youden", "chosen_on": "train + validation"},
        "no_call": {"low": 0.4, "high": 0.6, "rule": "made up"},
        "predictors": list(M1_PREDICTORS),
        "training_data": {
            "description": "Made-up patients of a test.",
            "simulated": True,
            "sha256": "0" * 64,
            "n_patients": 120,
            "centres": ["A", "B", "C", "D"],
            "external_centre": ["D"],
        },
        "seeds": {"training": SEED},
        "versions": {"numpy": np.__version__},
    }
    heads = make_heads(pooled, rng, refuse=refuse)
    head = heads["image"]["ki67"]
    refits = np.tile([*head["weights"], head["bias"]], (N_BOOTSTRAP, 1)) * rng.normal(1, 0.2, (N_BOOTSTRAP, 1))
    write_bundle(folder, manifest, heads, refits, "# test-bundle\n\nFor tests alone.\n")
    return folder


@pytest.fixture(scope="session", autouse=True)
def own_folders(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Keep the tests out of the user's folders of data and of keys."""
    for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME"):
        os.environ[name] = str(tmp_path_factory.mktemp(name.lower()))


@pytest.fixture
def fusion() -> FusionHead:
    """The fusion head of the test bundle."""
    return make_fusion(np.random.default_rng(SEED))


@pytest.fixture(scope="session")
def random_backbone(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, np.ndarray]:
    """The folder of a backbone of random weights, and its pooled features of noise."""
    folder = tmp_path_factory.mktemp("models") / "backbone"
    return folder, write_backbone(folder)


@pytest.fixture(scope="session")
def bundle_dir(random_backbone: tuple[Path, np.ndarray], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle that answers for every image."""
    return make_bundle(tmp_path_factory.mktemp("models") / "test-bundle", *random_backbone)


@pytest.fixture(scope="session")
def refusing_bundle_dir(random_backbone: tuple[Path, np.ndarray], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle that refuses every image."""
    return make_bundle(tmp_path_factory.mktemp("models") / "test-bundle", *random_backbone, refuse=-1.0)

"""Where the combined model lies below a part of itself, a sentence says so; else none does."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from core.evaluation import ThresholdResult
from core.evaluation.cohort.net_benefit import compute_net_benefit
from core.evaluation.cohort.split import compare_models
from core.figures.cohort.decision_curve import DecisionCurveExhibit
from core.figures.cohort.exhibit import Patients, style_models
from core.figures.cohort.roc import ModelsExhibit


def caution(kind: type, table: pd.DataFrame) -> str:
    """What an exhibit of some patients cautions of, in one text."""
    whole = table.assign(split="external")
    return " ".join(kind.of(Patients(table, whole, "the external test", ThresholdResult(0.5, "given"))).cautions())


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    """An image model that tells the truth, and a combined model that adds noise."""
    rng = np.random.default_rng(8)
    signal = rng.normal(0, 2, 400)
    image = expit(signal)
    return pd.DataFrame(
        {
            "y": (rng.uniform(size=400) < image).astype(float),
            "prob": expit(signal + rng.normal(0, 3, 400)),
            "prob_image": image,
            "prob_clinical": rng.uniform(0.01, 0.99, 400),
            "prob_m2": image,
        }
    )


def test_an_auc_below_a_part_is_said_with_its_test(table):
    comparisons = compare_models(table, 0.5)
    image = next(c.roc for c in comparisons if c.model == "image")
    text = caution(ModelsExhibit, table)
    assert text.startswith(
        f"In the external test the combined model's AUC, {image.auc_a:.3f}, lies below that of a part"
    )
    assert f"image alone, {image.auc_b:.3f}: difference {image.difference:.3f} (95 % CI {image.ci[0]:.3f}" in text
    assert text.count("lies below") == 1
    assert "n = 400" in text


def test_nothing_is_said_of_a_better_or_equal_model_or_without_parts(table):
    better = table.assign(prob=table["prob_image"], prob_image=table["prob"])
    assert caution(ModelsExhibit, better) == ""
    same = table.assign(prob_image=table["prob"], prob_clinical=table["prob"])
    assert caution(ModelsExhibit, same) == ""
    assert caution(DecisionCurveExhibit, same) == ""
    alone = table[["y", "prob", "prob_m2"]]
    assert caution(ModelsExhibit, alone) == ""
    assert caution(DecisionCurveExhibit, alone) == ""
    assert caution(ModelsExhibit, table.assign(y=1.0)) == ""


def test_net_benefit_below_a_part_is_counted_over_the_thresholds_drawn(table):
    result = compute_net_benefit(table)
    wide = result.table.pivot(index="threshold", columns="model", values="net_benefit").loc[0.2:0.7001]
    below = wide.index[wide["model"] < wide["image"]]
    text = caution(DecisionCurveExhibit, table)
    assert f"image alone, at {len(below)} of {len(wide)} thresholds ({below[0]:.2f} " in text
    assert f"{below[-1]:.2f}); n = 400" in text
    assert "clinical alone" not in text


def test_thresholds_apart_are_not_written_as_one_range():
    rows = [("model", 0.1), ("image", 0.2), ("all", 0.0), ("none", 0.0)]
    turned = [(name, 0.3 - value if name in {"model", "image"} else value) for name, value in rows]
    grid = [0.20, 0.21, 0.22, 0.23]
    parts = [rows, turned, rows, rows]
    curves = pd.DataFrame(
        [(name, at, value) for at, part in zip(grid, parts, strict=True) for name, value in part],
        columns=["model", "threshold", "net_benefit"],
    )
    result = replace(compute_net_benefit(pd.DataFrame({"y": [0.0, 1.0], "prob": [0.2, 0.8]})), table=curves)
    (text,) = DecisionCurveExhibit("the external test", result, (0.2, 0.7)).cautions()
    assert "at 3 of 4 thresholds (0.20, 0.22 to 0.23); n = 2" in text


def test_a_model_looks_the_same_in_every_figure():
    alone, both = style_models(["Clinical alone"]), style_models(["Model", "Clinical alone", "another", "a third"])
    assert alone["Clinical alone"] == both["Clinical alone"]
    assert len({style["line"]["color"] for style in both.values()}) == 4
    assert style_models(["Axillary ultrasound"]) == {
        "Axillary ultrasound": style_models(["Ki-67 probability", "Axillary ultrasound"])["Axillary ultrasound"]
    }

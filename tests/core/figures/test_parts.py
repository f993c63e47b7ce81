"""Where the combined model lies below a part of itself, a sentence says so; else none does."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from core.evaluation.cohort.net_benefit import compute_labelled_net_benefit
from core.evaluation.cohort.split import compare_models
from core.figures.cohort.parts import describe_lower_auc, describe_lower_benefit


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
    text = describe_lower_auc(comparisons, cohort="the external test")
    assert text.startswith(
        f"In the external test the combined model's AUC, {image.auc_a:.3f}, lies below that of a part"
    )
    assert f"image alone, {image.auc_b:.3f}: difference {image.difference:.3f} (95 % CI {image.ci[0]:.3f}" in text
    assert text.count("lies below") == 1
    assert "n = 400" in text


def test_nothing_is_said_of_a_better_or_equal_model_or_without_parts(table):
    better = table.assign(prob=table["prob_image"], prob_image=table["prob"])
    assert describe_lower_auc(compare_models(better, 0.5)) == ""
    same = table.assign(prob_image=table["prob"], prob_clinical=table["prob"])
    assert describe_lower_auc(compare_models(same, 0.5)) == ""
    assert describe_lower_benefit(compute_labelled_net_benefit(same), (0.2, 0.7)) == ""
    alone = table[["y", "prob", "prob_m2"]]
    assert describe_lower_auc(compare_models(alone, 0.5)) == ""
    assert describe_lower_benefit(compute_labelled_net_benefit(alone), (0.2, 0.7)) == ""
    assert describe_lower_auc(compare_models(table.assign(y=1.0), 0.5)) == ""


def test_net_benefit_below_a_part_is_counted_over_the_thresholds_drawn(table):
    result = compute_labelled_net_benefit(table)
    wide = result.table.pivot(index="threshold", columns="model", values="net_benefit").loc[0.2:0.7001]
    below = wide.index[wide["Model"] < wide["Image alone"]]
    text = describe_lower_benefit(result, (0.2, 0.7))
    assert f"image alone, at {len(below)} of {len(wide)} thresholds, between {below[0]:.2f} and {below[-1]:.2f}" in text
    assert "clinical alone" not in text

"""The shipped figures, the command line and the pages: the same numbers three ways."""

import json
import math
from pathlib import Path
from typing import Any

import pytest

from core import cli
from core.training.bundle.evidence import pick_metrics
from tests.pages.cohorts import words
from tests.pages.conftest import start_page

BUNDLE = Path(__file__).parents[2] / "models" / "ki67-demo"
EVIDENCE = BUNDLE / "evidence"


def find_differences(shipped: Any, computed: Any, path: str = "") -> list[str]:
    """List where two JSON values differ by more than the rounding of the table to six decimals."""
    if isinstance(shipped, dict) and isinstance(computed, dict):
        names = sorted(shipped.keys() | computed.keys())
        pairs = [(f"{path}/{name}", shipped.get(name, "lacking"), computed.get(name, "lacking")) for name in names]
    elif isinstance(shipped, list) and isinstance(computed, list) and len(shipped) == len(computed):
        pairs = [(f"{path}/{i}", one, other) for i, (one, other) in enumerate(zip(shipped, computed, strict=True))]
    else:
        numbers = all(isinstance(value, int | float) for value in (shipped, computed))
        same = math.isclose(shipped, computed, rel_tol=1e-4, abs_tol=1e-6) if numbers else shipped == computed
        return [] if same else [f"{path}: {shipped} shipped, {computed} computed"]
    return [line for where, one, other in pairs for line in find_differences(one, other, where)]


@pytest.fixture(scope="module")
def shipped() -> dict[str, Any]:
    return json.loads((EVIDENCE / "metrics.json").read_text(encoding="utf-8"))


def test_the_command_line_gives_the_shipped_figures(shipped, capsys, monkeypatch):
    monkeypatch.setattr("sys.argv", ["core", "evaluate", str(EVIDENCE / "predictions.csv"), "--json"])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert not ended.value.code
    assert find_differences(shipped, pick_metrics(json.loads(capsys.readouterr().out))) == []


def test_the_pages_show_the_shipped_figures(shipped, use_bundle):
    use_bundle(BUNDLE)
    external = shipped["external"]
    auc, slope = external["discrimination"], external["calibration"]["slope"]
    at = start_page("pages/3_Discrimination.py")
    low, high = auc["auc_ci"]
    assert f"AUC was {auc['auc']:.3f} (95 % CI {low:.3f} to {high:.3f}" in words(at)
    at.switch_page("pages/4_Calibration.py").run()
    shown = at.table[0].value.set_index("Figure").iloc[:, 0]
    assert shown["Slope (ideal 1)"] == f"{slope['est']:.3f} ({slope['ci'][0]:.3f} to {slope['ci'][1]:.3f})"
    at.switch_page("pages/7_Lymph_nodes.py").run()
    rates = external["lymph_nodes"]["rates"]
    assert at.table[0].value["With metastasis"].tolist()[:2] == [str(rates[g]["events"]) for g in ("high", "low")]


def test_a_difference_is_found():
    assert find_differences({"a": [1.0, None]}, {"a": [1.1, None]}) == ["/a/0: 1.0 shipped, 1.1 computed"]
    assert find_differences({"a": 1}, {}) == ["/a: 1 shipped, lacking computed"]
    assert find_differences([1, None], [1]) != []

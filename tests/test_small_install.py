"""Without what only training needs (`make app CPU=1`) a case is estimated; training says what it lacks."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MODULES = {"scikit-learn": "sklearn"}
PACKAGES = re.search(r"^TRAINING := (.+)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)[1].split("|")
BLOCK = """
import sys
class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {names}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Missing())
"""
ESTIMATE = """
import importlib.util, os
importlib.util.find_spec = lambda name, find=importlib.util.find_spec: None if name in {names} else find(name)
from streamlit.testing.v1 import AppTest
at = AppTest.from_file({app!r}, default_timeout=300).run().switch_page("pages/1_Case.py").run()
for label in ("Try this patient", "Estimate"):
    next(button for button in at.button if button.label == label).click()
    at.run()
assert not at.exception and not at.error, at.error
assert any("probability of a high Ki-67" in header.value for header in at.header)
from core.documents.collect_case import collect_case
from core.documents.render import render_patient_document
from core.ui.resources import get_bundle
answer = at.session_state["case"].answer
document = render_patient_document(collect_case(answer.case, answer.prediction, get_bundle()))
print(document[:5], flush=True)
os._exit(0)
"""
TRAIN = "import sys; sys.argv = ['core', 'train', 'none.csv', '--out', 'none']\nfrom core.cli import main\nmain()"


def run_without(code: str) -> subprocess.CompletedProcess[str]:
    """Run code where the packages can't be imported."""
    names = {MODULES.get(name, name) for name in PACKAGES}
    whole = BLOCK.format(names=names) + code.format(names=names, app=str(ROOT / "app.py"))
    return subprocess.run(
        [sys.executable, "-c", whole], cwd=ROOT, capture_output=True, text=True, timeout=900, check=False
    )


def test_what_is_left_out_is_a_requirement() -> None:
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    required = {re.split(r"[<>=\[]", line)[0] for line in lines if line and not line.startswith("#")}
    assert set(PACKAGES) <= required
    assert {"torch", "torchvision", "scikit-learn"} <= set(PACKAGES)


@pytest.mark.slow
def test_a_case_is_estimated_and_documented_without_them() -> None:
    run = run_without(ESTIMATE)
    assert run.stdout.strip() == "b'%PDF-'", run.stderr[-2000:]


def test_training_says_what_it_lacks() -> None:
    run = run_without(TRAIN)
    assert run.returncode == 1
    assert run.stderr.strip().startswith("This install lacks the package")
    assert len(run.stderr.strip().splitlines()) == 1

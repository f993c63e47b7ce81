"""What a page brings with it: home is light, and no page brings torch before a model is asked for."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
HEAVY = {"torch", "torchvision", "openvino", "pandas", "scipy", "sklearn", "statsmodels", "lifelines", "matplotlib"}
ENGINES = {"torch", "torchvision", "openvino"}
PAGES = sorted((ROOT / "pages").glob("*.py"))


def find_brought(page: Path) -> set[str]:
    """Run a page's import statements in a fresh process; name the heavy packages that came with them."""
    body = ast.parse(page.read_text(encoding="utf-8")).body
    imports = "\n".join(ast.unparse(node) for node in body if isinstance(node, ast.Import | ast.ImportFrom))
    code = f"{imports}\nimport sys\nprint(*{{name.split('.')[0] for name in sys.modules}})"
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120, check=True
    )
    brought = set(run.stdout.split())
    assert "streamlit" in brought
    return brought & HEAVY


def test_home_is_light() -> None:
    assert find_brought(ROOT / "app.py") == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_no_page_brings_an_engine(page: Path) -> None:
    assert find_brought(page) & ENGINES == set()

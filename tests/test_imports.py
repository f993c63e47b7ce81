"""What a page brings with it: home is light, and no page brings torch before a model is asked for."""

import ast
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
HEAVY = {"torch", "torchvision", "openvino", "pandas", "scipy", "sklearn", "statsmodels", "lifelines", "matplotlib"}
ENGINES = {"torch", "torchvision", "openvino"}
PAGES = sorted((ROOT / "pages").glob("*.py"))


def find_brought(*pages: Path) -> list[set[str]]:
    """Run the import statements of pages, one after another in a fresh process; name the heavy packages after each."""
    code = ["import sys"]
    for page in pages:
        body = ast.parse(page.read_text(encoding="utf-8")).body
        code += [ast.unparse(node) for node in body if isinstance(node, ast.Import | ast.ImportFrom)]
        code.append("print(*{name.split('.')[0] for name in sys.modules})")
    run = subprocess.run(
        [sys.executable, "-c", "\n".join(code)], cwd=ROOT, capture_output=True, text=True, timeout=300, check=True
    )
    brought = [set(line.split()) for line in run.stdout.splitlines()]
    assert all("streamlit" in names for names in brought)
    return [names & HEAVY for names in brought]


def test_home_is_light() -> None:
    assert find_brought(ROOT / "app.py") == [set()]


def test_no_page_brings_an_engine() -> None:
    engines = [names & ENGINES for names in find_brought(*PAGES)]
    assert dict(zip([page.stem for page in PAGES], engines, strict=True)) == {page.stem: set() for page in PAGES}

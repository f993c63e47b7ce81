"""What a widget calls has no way for an exception to get out: its message could hold a patient's values."""

import ast
from pathlib import Path

import pytest

from tests.test_caches import PAGES, ROOT, name_of

CALLBACKS = {"on_click", "on_change", "on_select", "on_box", "on_point"}


def find_unguarded(source: str) -> list[int]:
    """Give the lines of callbacks and of files made on demand that are not guarded."""
    tree = ast.parse(source)
    functions = {n.name for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)}
    callables = functions | {
        a.arg for n in ast.walk(tree) if isinstance(n, ast.arg) for a in [n] if "Callable" in ast.dump(n)
    }
    found = []
    for call in (n for n in ast.walk(tree) if isinstance(n, ast.Call)):
        if isinstance(call.func, ast.Attribute) and call.func.attr == "_component":
            continue
        given = [k.value for k in call.keywords if k.arg in CALLBACKS and not isinstance(k.value, ast.Constant)]
        found += [v.lineno for v in given if name_of(v) != "guard"]
        if name_of(call.func) == "download_button":
            data = [k.value for k in call.keywords if k.arg == "data"] or call.args[1:2]
            found += [v.lineno for v in data if is_callable(v, callables)]
    return found


def is_callable(node: ast.AST, callables: set[str]) -> bool:
    """Whether a file's content is a bare callable."""
    is_partial = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "partial"
    return isinstance(node, ast.Lambda) or is_partial or (isinstance(node, ast.Name) and node.id in callables)


@pytest.mark.parametrize("path", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_callbacks_and_files_are_guarded(path: Path) -> None:
    if path.parent.name != "viewer":
        assert find_unguarded(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "source",
    [
        "st.button('a', on_click=go)",
        "st.button('a', on_click=lambda: 1)",
        "st.file_uploader('a', on_change=self.take)",
        "st.download_button('a', lambda: b'')",
        "st.download_button('a', data=partial(make, 1))",
        "def make(): ...\nst.download_button('a', make)",
        "def offer(make: Callable[[], bytes]):\n    st.download_button('a', make)",
    ],
)
def test_what_is_not_guarded_is_found(source: str) -> None:
    assert find_unguarded(source)


@pytest.mark.parametrize(
    "source",
    ["st.button('a', on_click=guard(go))", "st.download_button('a', guard_file(make), on_click='ignore')"],
)
def test_what_is_guarded_is_let_through(source: str) -> None:
    assert find_unguarded(source) == []

"""Every way in which a table leaves, found in the code, so that a new one can't forget to disarm it."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = [ROOT / "app.py", *ROOT.glob("pages/*.py"), *ROOT.glob("core/**/*.py"), *ROOT.glob("models/**/*.py")]
WRITERS = ("to_csv", "to_excel", "to_markdown", "to_clipboard", "writer", "DictWriter", "write_csv")
DISARMED = {"core/spreadsheet.py", "core/cli/pseudonym_key.py"}  # the one writer; a key's list, each cell disarmed
MAKERS = {"render_csv", "guard_file"}  # what is made on demand comes from `render_csv` too: no other writer is left


def find_unsafe(source: str, *, may_write: bool = False) -> list[str]:
    """Name the calls that write or show a table, or offer a text file, in a way of their own."""
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    found = []
    for call in calls:
        name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
        if name in WRITERS and not may_write:
            found.append(name)
        if name == "to_html" and any(word.arg == "escape" for word in call.keywords):
            found.append(name)
        if name == "download_button" and "text/csv" in ast.unparse(call) and not (MAKERS & calls_in(call)):
            data = [word.value for word in call.keywords if word.arg == "data"] or call.args[1:2]
            found += [name for one in data if not (isinstance(one, ast.Name) and one.id.isupper())]
        if name in ("dataframe", "data_editor") and not {"disarm_table", "disarm"} & calls_in(call):
            found.append(name)
    return found


def calls_in(call: ast.Call) -> set[str]:
    """Names of the functions that are called within a call."""
    inner = (node.func for node in ast.walk(call) if isinstance(node, ast.Call))
    return {node.id for node in inner if isinstance(node, ast.Name)}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_table_leaves_in_a_way_of_its_own(path: Path) -> None:
    assert find_unsafe(path.read_text(encoding="utf-8"), may_write=str(path.relative_to(ROOT)) in DISARMED) == []


@pytest.mark.parametrize(
    "source",
    [
        "table.to_csv('a.csv')",
        "csv.writer(stream)",
        "table.to_html(escape=False)",
        "st.download_button('a', text.encode(), mime='text/csv')",
        "st.dataframe(table)",
        "place.dataframe(table)",
    ],
)
def test_a_way_of_its_own_is_found(source: str) -> None:
    assert find_unsafe(source)


@pytest.mark.parametrize(
    "source",
    ["st.download_button('a', render_csv(table), mime='text/csv')", "st.dataframe(disarm_table(table))"],
)
def test_the_one_way_is_let_through(source: str) -> None:
    assert find_unsafe(source) == []

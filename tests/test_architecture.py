"""Imports run one way: each part stands only on the floors below it (see README, layout)."""

import ast
import re
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FLOORS = (
    {"models", "core.errors"},
    {
        "core.settings",
        "core.plain_text",
        "core.private_files",
        "core.turns",
        "core.spreadsheet",
        "core.zip_reading",
        "core.clinical",
        "core.nomogram",
    },
    {"core.imaging", "core.simulation", "core.tabular"},
    {"core.inference"},
    {"core.cohort", "core.register", "core.archive"},
    {"core.evaluation", "core.fhir"},
    {"core.figures"},
    {"core.training", "core.monitoring", "core.documents"},
    {"core.paper"},
    {"core.ui"},
    {"app", "pages", "core.benchmark"},
    {"core.cli"},
)
FLOOR = {part: i for i, parts in enumerate(FLOORS) for part in parts}
TORCH_PARTS = {"models", "core.inference", "core.training", "core.benchmark"}
PAGE_BANNED = {"torch", "sklearn", "lifelines", "pydicom", "numpy"}
MOST_MODULES = 16
FILES = [*sorted(p for folder in ("core", "models", "pages") for p in (ROOT / folder).rglob("*.py")), ROOT / "app.py"]
TESTS = sorted((ROOT / "tests").rglob("*.py"))
REACHING = {"setattr", "getattr", "delattr", "hasattr", "patch", "object", "attrgetter"}
ROOMS = sorted({path.parent for path in FILES} - {ROOT / "core" / "cli"})  # there each verb is a file


def part_of(module: str) -> str:
    """Name the part that a module belongs to: its first name, or its first two below core."""
    names = module.split(".")
    return ".".join(names[:2]) if names[0] == "core" else names[0]


def module_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts)


@cache
def imports_of(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found - {"core"}


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_point_to_lower_floors(path: Path) -> None:
    here = part_of(module_of(path))
    if module_of(path) in {"core.__init__", "core.__main__"}:
        return
    own = {part_of(name) for name in imports_of(path)} & set(FLOOR)
    assert {part for part in own - {here} if FLOOR[part] >= FLOOR[here]} == set()


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_streamlit_and_torch_stay_in_their_parts(path: Path) -> None:
    here = part_of(module_of(path))
    outside = {name.split(".")[0] for name in imports_of(path)}
    if here not in {"app", "pages", "core.ui", "core.benchmark"}:  # the last visits as a browser does
        assert "streamlit" not in outside
    if here not in TORCH_PARTS:
        assert not outside & {"torch", "torchvision"}
    if here == "pages":
        assert not outside & PAGE_BANNED


@pytest.mark.parametrize("path", sorted((ROOT / "pages").glob("*.py")), ids=lambda p: p.name)
def test_a_page_does_nothing_before_it_knows_who_sees_it(path: Path) -> None:
    body = ast.parse(path.read_text(encoding="utf-8")).body
    doing = [part for part in body if not isinstance(part, ast.Import | ast.ImportFrom | ast.Assign)]
    says, begins = doing
    assert isinstance(says, ast.Expr)
    assert isinstance(begins, ast.With)
    assert ast.unparse(begins.items[0].context_expr).startswith("begin_page(")


def test_no_import_goes_round_in_a_circle() -> None:
    modules = {module_of(path).removesuffix(".__init__"): path for path in FILES}
    graph = {name: imports_of(path) & modules.keys() - {name} for name, path in modules.items()}
    TopologicalSorter(graph).prepare()


@pytest.mark.parametrize("room", ROOMS, ids=lambda room: str(room.relative_to(ROOT)))
def test_no_room_is_crowded(room: Path) -> None:
    modules = [path for path in room.glob("*.py") if path.name != "__init__.py"]
    assert len(modules) <= MOST_MODULES


def test_every_part_has_a_floor() -> None:
    parts = {part_of(module_of(path)) for path in FILES} - {"core.__init__", "core.__main__"}
    assert parts <= set(FLOOR)


def test_top_level_is_fixed() -> None:
    fixed = {
        "app.py",
        "pages",
        "core",
        "models",
        "tests",
        "requirements.txt",
        "README.md",
        "Makefile",
        "LICENSE",
        "CHANGELOG.md",
    }
    seen = {p.name for p in ROOT.iterdir() if not p.name.startswith(".")}
    assert fixed <= seen
    assert seen - fixed <= {"runs", "docs"}


def find_private_strings(source: str) -> list[str]:
    """Give the private names that calls such as `setattr(store, "_files", ...)` or `patch("a._b")` reach by a string.

    Attributes and imports are found by ruff (SLF001, PLC2701).
    """
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    reaching = [call for call in calls if ast.unparse(call.func).split(".")[-1] in REACHING]
    words = [arg.value for call in reaching for arg in call.args[:2] if isinstance(arg, ast.Constant)]
    return [word for word in words if isinstance(word, str) and re.search(r"(^|\.)_(?!_)", word)]


def test_tests_reach_for_no_private_name() -> None:
    found = {path: find_private_strings(path.read_text(encoding="utf-8")) for path in TESTS}
    assert {path: names for path, names in found.items() if names} == {}


def test_a_private_name_in_a_string_is_found() -> None:
    assert find_private_strings('monkeypatch.setattr(store, "_files", {})') == ["_files"]
    assert find_private_strings('monkeypatch.setattr("core.a.B._work", None)') == ["core.a.B._work"]
    assert find_private_strings('getattr(module, "__file__")') == []

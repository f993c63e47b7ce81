"""No cache and no global holds what belongs to a session where another session could reach it.

Streamlit leaves arguments whose names begin with an underscore out of the key: a cached function with only such
arguments has one entry for the whole process.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "app.py", *sorted((ROOT / "pages").glob("*.py")), *sorted((ROOT / "core" / "ui").rglob("*.py"))]
REST = sorted({*(ROOT / "core").rglob("*.py"), *(ROOT / "models").rglob("*.py")} - set(PAGES))
CACHES = {"cache_data", "cache_resource", "memo", "singleton", "experimental_memo", "experimental_singleton"}
MEMORIES = {"cache", "lru_cache"}
SESSION = {"session_state", "query_params", "user", "context"}
MUTABLE = {"dict", "list", "set", "OrderedDict", "defaultdict", "deque", "Counter", "WeakValueDictionary", "local"}
CHANGES = {"append", "add", "update", "setdefault", "pop", "popitem", "clear", "extend", "insert", "appendleft"}
SHARED = {
    ("core/imaging/decoding/pool.py", "_pools"): "decoder processes by process id; they keep no image",
    ("core/imaging/uploads.py", "_files"): "uploaded files by a random ticket, which one session holds",
    ("core/imaging/uploads.py", "_owners"): "whose each of them is, by the same ticket",
    ("core/imaging/admission.py", "_refused"): "sentences by the hash of a file that was refused",
    ("core/training/run/process.py", "_children"): "processes of trainings, one at a time for the whole server",
    ("core/ui/session.py", "_things"): "what each session leaves behind, by its id; nothing of it is given to anybody",
    ("core/ui/session.py", "_left"): "since when a session's browser is away",
}
Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


def name_of(node: ast.AST) -> str:
    """Give the last name of a name, an attribute or a call: "cache_data" of `st.cache_data(ttl=3)`."""
    while isinstance(node, ast.Call):
        is_partial = name_of(node.func) == "partial" and node.args
        node = node.args[0] if is_partial else node.func
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def find_aliases(tree: ast.AST, names: set[str]) -> set[str]:
    """Give the names themselves and whatever else they are called in a module: imports, assignments, partials."""
    found = set(names)
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            found |= {alias.asname for alias in node.names if alias.name in names and alias.asname}
    before = 0
    while len(found) != before:
        before = len(found)
        for node in ast.walk(tree):
            if isinstance(node, ast.Assign) and name_of(node.value) in found and not is_applied(node.value):
                found |= {name_of(target) for target in node.targets} - {""}
    return found


def is_applied(node: ast.AST) -> bool:
    """Whether a call hands a function to a decorator, as in `cache_data(read)` or `cache_data(ttl=3)(read)`."""
    return isinstance(node, ast.Call) and bool(node.args) and name_of(node.func) != "partial"


def find_cached(tree: ast.AST, names: set[str]) -> Iterator[tuple[ast.AST, Function | None]]:
    """Give each use of a cache with the function that it caches; None where that stands elsewhere."""
    aliases = find_aliases(tree, names)
    functions = {n.name: n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)}
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield from ((decorator, node) for decorator in node.decorator_list if name_of(decorator) in aliases)
        elif isinstance(node, ast.Call) and is_applied(node) and name_of(node.func) in aliases:
            given = node.args[0]
            yield node.func, given if isinstance(given, ast.Lambda) else functions.get(name_of(given))


def list_arguments(function: Function) -> list[str]:
    given = function.args
    named = [*given.posonlyargs, *given.args, *given.kwonlyargs, *filter(None, (given.vararg, given.kwarg))]
    return [argument.arg for argument in named if argument.arg not in {"self", "cls"}]


def has_session_scope(decorator: ast.AST) -> bool:
    return isinstance(decorator, ast.Call) and any(
        keyword.arg == "scope" and isinstance(keyword.value, ast.Constant) and keyword.value.value == "session"
        for keyword in decorator.keywords
    )


def find_faulty_caches(source: str) -> list[int]:
    """Give the lines of Streamlit caches that could hand one session's content to another."""
    tree = ast.parse(source)
    return sorted({getattr(d, "lineno", 0) for d, f in find_cached(tree, CACHES) if f is None or is_faulty(d, f)})


def is_faulty(decorator: ast.AST, function: Function) -> bool:
    """Whether no argument is hashed; or, in a cache of all sessions, one isn't or the session is read within."""
    arguments = list_arguments(function)
    hashed = [name for name in arguments if not name.startswith("_")]
    if has_session_scope(decorator):
        return not hashed
    return len(hashed) < max(len(arguments), 1) or reads_session(function)


def reads_session(function: Function) -> bool:
    return any(name_of(node) in SESSION for node in ast.walk(function) if not isinstance(node, ast.Call))


def find_faulty_memories(source: str) -> list[int]:
    """Give the lines of functools caches that keep an object, or that have no argument and read the session."""
    tree = ast.parse(source)
    return sorted(
        {
            getattr(d, "lineno", 0)
            for d, f in find_cached(tree, MEMORIES)
            if f is None or {a.arg for a in f.args.args} & {"self", "cls"} or reads_session(f)
        }
    )


def find_globals(source: str) -> set[str]:
    """Give the names of a module that its functions change."""
    tree = ast.parse(source)
    names = {n for s in tree.body for n in _list_mutable(s)}
    functions = [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)]
    found: set[str] = set()
    for node in (inner for function in functions for inner in ast.walk(function)):
        if isinstance(node, ast.Global):
            found |= set(node.names)
        elif isinstance(node, ast.Subscript) and not isinstance(node.ctx, ast.Load):
            found |= {name_of(node.value)} & names
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in CHANGES:
            found |= {name_of(node.func.value)} & names
    return found


def _list_mutable(statement: ast.stmt) -> list[str]:
    """Give the names that a statement of a module binds to something that can be changed."""
    if not isinstance(statement, ast.Assign | ast.AnnAssign):
        return []
    targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
    value = statement.value
    is_mutable = isinstance(value, ast.Dict | ast.List | ast.Set | ast.DictComp | ast.ListComp | ast.SetComp) or (
        isinstance(value, ast.Call) and name_of(value) in MUTABLE
    )
    return [name_of(target) for target in targets] if is_mutable else []


@pytest.mark.parametrize("path", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_caches_of_the_pages_are_keyed(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    assert find_faulty_caches(source) == []
    assert find_faulty_memories(source) == []


@pytest.mark.parametrize("path", [*PAGES, *REST], ids=lambda p: str(p.relative_to(ROOT)))
def test_no_global_is_changed_but_the_shared_ones(path: Path) -> None:
    place = path.relative_to(ROOT).as_posix()
    assert find_globals(path.read_text(encoding="utf-8")) == {name for file, name in SHARED if file == place}


FAULTY = {
    "no argument": "@st.cache_data\ndef f(): ...",
    "with options": "@st.cache_resource(max_entries=1, show_spinner=False)\ndef f(_key, _cohort): ...",
    "a method": "class A:\n    @st.cache_data\n    def f(self, _x): ...",
    "an underscored self": "class A:\n    @st.cache_data\n    def f(_self): ...",
    "a static method": "class A:\n    @staticmethod\n    @st.cache_data\n    def f(_x): ...",
    "nested": "def g():\n    @st.cache_resource\n    def f(_x): ...\n    return f",
    "an alias of the module": "import streamlit as web\n@web.cache_data\ndef f(_x): ...",
    "an alias of the name": "from streamlit import cache_data as keep\n@keep(ttl=3)\ndef f(_x): ...",
    "an assigned decorator": "keep = st.cache_data(ttl=3)\n@keep\ndef f(_x): ...",
    "an alias of an alias": "a = st.cache_data\nb = a\n@b()\ndef f(_x): ...",
    "a partial": "keep = partial(st.cache_data, ttl=3)\n@keep()\ndef f(_x): ...",
    "a call": "def f(_x): ...\ng = st.cache_data(f)",
    "a call with options": "def f(_x): ...\ng = st.cache_resource(ttl=3)(f)",
    "a lambda": "g = st.cache_data(lambda _x: 1)",
    "a function from elsewhere": "from core import f\ng = st.cache_data(f)",
    "keywords alone": "@st.cache_data\ndef f(*, _x): ...",
    "rest arguments": "@st.cache_data\ndef f(*_args, **_more): ...",
    "asynchronous": "@st.cache_data\nasync def f(_x): ...",
    "some unhashed, for all sessions": "@st.cache_data\ndef f(key, _cohort): ...",
    "the session within": "@st.cache_data\ndef f(key): return st.session_state[key]",
    "none hashed in a session": '@st.cache_data(scope="session")\ndef f(_x): ...',
}
SOUND = {
    "hashed": "@st.cache_data\ndef f(x): ...",
    "a method": "class A:\n    @st.cache_data\n    def f(self, x): ...",
    "of a session": '@st.cache_data(scope="session", max_entries=4)\ndef f(key, _compute): ...',
    "rest arguments": "@st.cache_data\ndef f(*args): ...",
    "not cached": "def f(_x): ...",
}


@pytest.mark.parametrize("source", FAULTY.values(), ids=FAULTY)
def test_a_cache_that_all_sessions_would_share_is_found(source: str) -> None:
    assert find_faulty_caches(source)


@pytest.mark.parametrize("source", SOUND.values(), ids=SOUND)
def test_a_keyed_cache_is_let_through(source: str) -> None:
    assert find_faulty_caches(source) == []


def test_functools_caches_and_changed_globals_are_found() -> None:
    assert find_faulty_memories("from functools import cache as keep\n@keep\ndef f(): return st.user.name") == [2]
    assert find_faulty_memories("class A:\n    @lru_cache(maxsize=4)\n    def f(self, x): ...") == [2]
    assert find_faulty_memories("@lru_cache(maxsize=4)\ndef f(x): ...") == []
    assert find_globals("KEPT = {}\ndef f(x): KEPT[x] = 1") == {"KEPT"}
    assert find_globals("kept: list[int] = []\ndef f(x):\n    kept.append(x)") == {"kept"}
    assert find_globals("n = 0\ndef f():\n    global n\n    n = 1") == {"n"}
    assert find_globals("TABLE = {1: 2}\ndef f(x): return TABLE[x]") == set()

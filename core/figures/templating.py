"""Records to HTML by Jinja2, with every text escaped."""

from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined


@cache
def _open(folder: Path) -> Environment:
    loader = FileSystemLoader(folder)
    return Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)


def render_template(path: Path, record: dict[str, object]) -> bytes:
    """Fill a template of a package with plain values, as UTF-8."""
    return _open(path.parent).get_template(path.name).render(record).encode()

"""The tables of core/clinical/README.md: every column that a table may have, and the other names that are read as it.

``python -m tests.clinical_table`` prints them.
"""

from core.clinical.fields import BY_NAME
from core.clinical.names import ALIASES, COLUMNS, FACTORS, Column

HEAD = "| field | label | values | known | role | units |\n| --- | --- | --- | --- | --- | --- |"
NAMES = "| field | also read as |\n| --- | --- |"
VALUES = {
    "name": "text",
    "file": "path from the table's folder",
    "box": "x0,y0,x1,y1",
    "split": "train, validation, test, external",
    "probability": "0 to 1",
    "binary": "yes, no",
    "event": "yes, no, competing",
}


def render_table() -> str:
    """Give the data dictionary as a Markdown table."""
    return "\n".join([HEAD, *map(_render_column, COLUMNS.values())])


def render_names() -> str:
    """Give the other names of each column as a Markdown table."""
    rows = (f"| {name} | {ALIASES[name].replace(' ', ', ')} |" for name in COLUMNS if ALIASES.get(name))
    return "\n".join([NAMES, *rows])


def _render_column(column: Column) -> str:
    field = BY_NAME.get(column.name)
    values = VALUES.get(column.meaning, "") if field is None or column.meaning == "event" else field.describe_values()
    known, role = (field.available_at, field.role) if field is not None else ("", "of the table")
    units = ", ".join(FACTORS.get(column.unit, ()))
    cells = (column.name, column.label, values, known, role, units)
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    print(render_table(), render_names(), sep="\n\n")  # noqa: T201 - its result

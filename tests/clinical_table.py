"""The table of core/clinical/README.md: every column that a table may have, with the names and units that are read too.

``python -m tests.clinical_table`` prints it.
"""

from core.clinical.fields import BY_NAME
from core.clinical.names import ALIASES, COLUMNS, FACTORS, Column

HEAD = "| field | label | values | known | role | units | also read as |\n| --- | --- | --- | --- | --- | --- | --- |"
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


def _render_column(column: Column) -> str:
    field = BY_NAME.get(column.name)
    values = VALUES.get(column.meaning, "") if field is None or column.meaning == "event" else field.describe_values()
    known, role = (field.available_at, field.role) if field is not None else ("", "of the table")
    units = ", ".join(FACTORS.get(column.unit, ()))
    cells = (column.name, column.label, values, known, role, units, ALIASES.get(column.name, "").replace(" ", ", "))
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    print(render_table())  # noqa: T201 - its result

"""What was read before it was evaluated: rows, columns, coding, units, cut-off and the file's hash."""

import datetime

from core import __version__
from core.cohort import PredictionTable
from core.cohort.predictions import Y_DIFFERS
from core.cohort.record import count_reasons, drop_option


def render_input(read: PredictionTable) -> dict[str, object]:
    """Write what was read of a table as plain JSON values."""
    reading = read.reading
    return {
        "sha256": reading.sha256,
        "rows": reading.rows,
        "used": len(read.table),
        "refused": {
            "count": len(read.refused),
            "reasons": dict(count_reasons(read.refused)),
        },
        "notes": list(read.notes),
        "cutoff": read.cutoff.to_json(),
        "columns": [
            {
                "field": column.name,
                "column": column.column,
                "coding": column.coding,
                "unit": column.unit,
                "known": column.known,
                "missing": column.missing,
                "left_out": dict(column.left_out),
                "problem": column.problem,
            }
            for column in reading.columns
        ],
        "unread": [column for column, _ in reading.unread],
    }


def list_origin(read: PredictionTable) -> dict[str, str]:
    """List where a report comes from: version, time, and what was read."""
    now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    return {"SonoKi": __version__, "Made (UTC)": now, **list_input(read)}


def list_input(read: PredictionTable) -> dict[str, str]:
    """List the same for people: a name and its value a line."""
    reading = read.reading
    coded = [
        f"{c.column}: {', '.join(filter(None, (c.coding, c.unit)))}"
        for c in reading.columns
        if (c.coding or c.unit) and not c.problem
    ]
    high = read.cutoff.words
    if "ki67_pct" not in read.columns and "y" in read.columns:
        high = f"as {read.columns['y']} says, without Ki-67 in the file; taken for {high}"
    elif any(note.startswith(Y_DIFFERS) for note in reading.notes):
        high = f"as {read.columns['y']} says, which differs from {high}: see the notes"
    left_out = sum(column.not_understood for column in reading.columns)
    return {
        "File (sha256)": reading.sha256,
        "Rows": f"{reading.rows:,}: {len(read.table):,} used, {len(read.refused):,} refused",
        "Cells left out": f"{left_out:,}",
        "High Ki-67": high,
        "Coding and units": "; ".join(coded) or "as the names say",
        "Notes": " ".join(map(drop_option, (*reading.notes, *reading.describe()))) or "none",
    }

"""The row of a file that names its columns."""

from collections.abc import Sequence

from core.clinical import KNOWN_NAMES, read_title

SEARCHED = 20
PASSED_OVER = "The column names were found in row {row}; the {count} above it, a title or the like, were passed over."

NAMED_ABOVE = "The head runs over two rows: the upper one names {names}."


def find_header(rows: Sequence[tuple[int, Sequence[str]]]) -> int:
    """Find the row that names the columns: of the first rows the one with the most known names."""
    counts = [count_known(cells) for _, cells in rows[:SEARCHED]]
    most = max(counts, default=0)
    if most:
        return counts.index(most)
    widths = [sum(bool(cell.strip()) for cell in cells) for _, cells in rows[:SEARCHED]]
    several = [i for i, width in enumerate(widths) if width > 1]
    return several[0] if several else 0


def count_known(cells: Sequence[str]) -> int:
    """Count the different known column names among cells."""
    return len(find_known(cells))


def find_known(cells: Sequence[str]) -> frozenset[str]:
    """Give the known column names among cells."""
    return frozenset({read_title(cell).name for cell in cells if len(cell) < 80} & KNOWN_NAMES)


def describe_header(row: int, above: int) -> list[str]:
    """Say that rows above the header were passed over, if there were any."""
    if not above:
        return []
    count = "row" if above == 1 else f"{above} rows"
    sentence = PASSED_OVER.format(row=row, count=count)
    return [sentence.replace("were passed over", "was passed over") if above == 1 else sentence]


def take_names_above(header: list[str], above: Sequence[str]) -> tuple[list[str], list[str]]:
    """Name columns by the cell above where their own is empty and that one a known name; and say so."""
    taken = [
        i for i, name in enumerate(header) if not name.strip() and i < len(above) and count_known(above[i : i + 1])
    ]
    names = [above[i] if i in taken else name for i, name in enumerate(header)]
    listed = ", ".join(f"'{above[i].strip()}'" for i in taken)
    return names, [NAMED_ABOVE.format(names=listed)] if taken else []

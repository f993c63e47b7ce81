"""Items of a sequence, where an element is one: some files state another type for it."""

from pydicom import Dataset, Sequence


def read_items(header: Dataset, keyword: str) -> list[Dataset]:
    """Give the items of a sequence; none where the element is missing, empty or of another type."""
    value = header.get(keyword)
    return list(value) if isinstance(value, Sequence) else []

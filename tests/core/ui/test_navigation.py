"""The navigation lists the pages that are there."""

from core.ui.navigation import PAGES, list_pages


def test_every_page_is_listed_by_its_number():
    listed = list_pages()
    assert [path for path, _ in listed] == sorted(f"pages/{p.name}" for p in PAGES.glob("*.py"))
    assert ("pages/1_Case.py", "Case") in listed
    assert all("_" not in name for _, name in listed)

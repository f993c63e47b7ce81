"""The navigation lists the pages that are there."""

from core.ui.navigation import PAGES, list_pages


def test_every_page_is_listed_by_its_number():
    listed = list_pages()
    assert [path for path, _ in listed] == [
        f"pages/{p.name}" for p in sorted(PAGES.glob("*.py"), key=lambda p: int(p.name.partition("_")[0]))
    ]
    assert listed[-1][0].startswith("pages/1")  # the tenth comes last, not behind the first
    assert ("pages/1_Case.py", "Case") in listed
    assert all("_" not in name for _, name in listed)

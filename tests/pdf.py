"""The words of a PDF and where they stand, read back in Python."""

import re

import pypdfium2


def read_pages(pdf: bytes) -> list[str]:
    """Give the words of each page, blanks made one."""
    with pypdfium2.PdfDocument(pdf) as document:
        return [re.sub(r"\s+", " ", page.get_textpage().get_text_range()) for page in document]


def find_right_edge(pdf: bytes) -> float:
    """Give how far to the right any letter of any page reaches, in points."""
    with pypdfium2.PdfDocument(pdf) as document:
        texts = [page.get_textpage() for page in document]
        return max(text.get_charbox(i)[2] for text in texts for i in range(text.count_chars()))

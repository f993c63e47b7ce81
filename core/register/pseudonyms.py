"""Whether a pseudonym looks like what it stands for: a name, a birth date or a record number."""

import datetime
import re

DATES = (
    re.compile(r"(?<!\d)(?P<d>\d{1,2})[./-](?P<m>\d{1,2})[./-](?P<y>(19|20)\d\d)(?!\d)"),
    re.compile(r"(?<!\d)(?P<y>(19|20)\d\d)(?P<gap>[./-]?)(?P<m>\d\d)(?P=gap)(?P<d>\d\d)(?!\d)"),
    re.compile(r"(?<!\d)(?P<d>\d\d)(?P<m>\d\d)(?P<y>(19|20)\d\d)(?!\d)"),
)
RECORD = re.compile(r"\d[\d ./-]{4,}\d")
NAME = re.compile(r"[^\W\d_]{2,}(\s*[,^]\s*|\s+)[^\W\d_]{2,}")
HOW = "Give a pseudonym that says nothing of the patient, or say that it is one."


def question_pseudonym(text: str) -> str:
    """Ask about a text that looks like a name, a birth date or a record number; "" where it doesn't."""
    text = text.strip()
    if any(map(_is_date, (found for pattern in DATES for found in pattern.finditer(text)))):
        return f"This looks like a date of birth. {HOW}"
    if "@" in text or NAME.search(text) or not re.search(r"\d", text):
        return f"This looks like a name. {HOW}"
    if RECORD.fullmatch(text):
        return f"This looks like a hospital's record number. {HOW}"
    return ""


def _is_date(found: re.Match[str]) -> bool:
    try:
        datetime.date(int(found["y"]), int(found["m"]), int(found["d"]))
    except ValueError:
        return False
    return True

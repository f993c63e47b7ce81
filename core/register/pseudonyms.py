"""Whether a pseudonym, or a free text, seems to hold what tells who the patient is: a name, a date, a record number."""

import datetime
import re

DATES = (
    re.compile(r"(?<!\d)(?P<d>\d{1,2})[./-](?P<m>\d{1,2})[./-](?P<y>(19|20)\d\d)(?!\d)"),
    re.compile(r"(?<!\d)(?P<y>(19|20)\d\d)(?P<gap>[./-]?)(?P<m>\d\d)(?P=gap)(?P<d>\d\d)(?!\d)"),
    re.compile(r"(?<!\d)(?P<d>\d\d)(?P<m>\d\d)(?P<y>(19|20)\d\d)(?!\d)"),
)
RECORD = re.compile(r"\d[\d ./-]{4,}\d")
SHORT_DATE = re.compile(r"(?<![\d./])(?P<d>\d{1,2})(?P<gap>[./])(?P<m>\d{1,2})(?P=gap)(?P<y>\d\d)(?![\d./])")
NAME = re.compile(r"[^\W\d_]{2,}(\s*[,^]\s*|\s+)[^\W\d_]{2,}")
JOINED_NAME = re.compile(r"(?<!\w)[A-ZÄÖÜ][a-zß-öø-ÿ]{2,}[_.-][A-ZÄÖÜ][a-zß-öø-ÿ]{2,}|(?<!\w)[a-z]{3,}\.[a-z]{3,}")
NAME_AND_YEAR = re.compile(r"[A-ZÄÖÜ][a-zß-öø-ÿ]{2,}[ _.-]?(19\d\d|200\d|201[0-5])")
NAME_IN_TEXT = re.compile(
    r"\b(Mr|Mrs|Ms|Dr|Prof|Frau|Herr|Mme|Patient(?:in)?)\b\.?\s+[A-Z]\w+|\b[A-Z][a-z]+,?\s+[A-Z][a-z]+\b|@"
)
HOW_IN_TEXT = "Write it without what tells who the patient is, or say that it does not."
HOW = "Give a pseudonym that says nothing of the patient, or say that it is one."


def question_pseudonym(text: str) -> str:
    """Ask about a text that looks like a name, a birth date or a record number; "" where it doesn't."""
    text = text.strip()
    if _holds_date(text):
        return f"This looks like a date of birth. {HOW}"
    names = NAME.search(text) or JOINED_NAME.search(text) or NAME_AND_YEAR.fullmatch(text)
    if "@" in text or names or not re.search(r"\d", text):
        return f"This looks like a name. {HOW}"
    if RECORD.fullmatch(text):
        return f"This looks like a hospital's record number. {HOW}"
    return ""


def question_text(text: str) -> str:
    """Ask about a free text that seems to hold a name, a date or a record number; "" where it doesn't."""
    if _holds_date(text):
        return f"This seems to hold a date. {HOW_IN_TEXT}"
    if RECORD.search(text):
        return f"This seems to hold a record number. {HOW_IN_TEXT}"
    if NAME_IN_TEXT.search(text):
        return f"This seems to hold a name. {HOW_IN_TEXT}"
    return ""


def _holds_date(text: str) -> bool:
    return any(map(_is_date, (found for pattern in (*DATES, SHORT_DATE) for found in pattern.finditer(text))))


def _is_date(found: re.Match[str]) -> bool:
    try:
        datetime.date(int(found["y"]) or 2000, int(found["m"]), int(found["d"]))
    except ValueError:
        return False
    return True

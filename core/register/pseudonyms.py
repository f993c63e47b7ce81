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
JOINED_NAME = re.compile(r"(?<!\w)(?P<one>[^\W\d_]{3,})(?P<gap>[_.-])(?P<two>[^\W\d_]{3,})")
RUN_TOGETHER = re.compile(r"(?<!\w)[A-ZÄÖÜ][a-zß-öø-ÿ]{3,}[A-ZÄÖÜ][a-zß-öø-ÿ]{2,}")
NAME_AND_YEAR = re.compile(r"(?P<one>[^\W\d_]{3,})[ _.-]?(19\d\d|200\d|201[0-5])")
MONTHS = "jan|feb|mar|mär|apr|may|mai|jun|jul|aug|sep|oct|okt|nov|dec|dez"
DATE_IN_WORDS = re.compile(
    rf"(?<!\d)\d{{1,2}}[ ._/-]*({MONTHS})[a-zä]*[ ._/-]*(19|20)?\d\d(?!\d)"
    rf"|(?<![a-zä])({MONTHS})[a-zä]*[ ._/-]*\d{{1,2}}[ ,._/-]+(19|20)\d\d(?!\d)",
    re.IGNORECASE,
)
INITIALS_AND_DATE = (
    re.compile(r"[A-Za-z]{2}[ _.-]?(?P<d>\d\d)(?P<m>\d\d)(?P<y>\d\d)"),
    re.compile(r"[A-Za-z]{2}[ _.-]?(?P<y>\d\d)(?P<m>\d\d)(?P<d>\d\d)"),
)
NAMED_RECORD = re.compile(r"(mrn|pid|ipp|nhs|kis|fall-?(nr|nummer))[ .:#_-]*\d{4,}", re.IGNORECASE)
NAME_IN_TEXT = re.compile(
    r"\b(Mr|Mrs|Ms|Dr|Prof|Frau|Herr|Mme|Patient(?:in)?)\b\.?\s+[A-Z]\w+|\b[A-Z][a-z]+,?\s+[A-Z][a-z]+\b|@"
)
HOW_IN_TEXT = "Write it without what tells who the patient is, or say that it does not."
HOW = "Give a pseudonym that says nothing of the patient, or say that it is one."


def question_pseudonym(text: str) -> str:
    """Ask about a text that looks like a name, a birth date or a record number; "" where it doesn't."""
    text = text.strip()
    if _holds_date(text) or any(found and _is_date(found) for found in (p.fullmatch(text) for p in INITIALS_AND_DATE)):
        return f"This looks like a date of birth. {HOW}"
    if "@" in text or NAME.search(text) or _holds_joined_name(text) or not re.search(r"\d", text):
        return f"This looks like a name. {HOW}"
    if RECORD.fullmatch(text) or NAMED_RECORD.fullmatch(text):
        return f"This looks like a hospital's record number. {HOW}"
    return ""


def question_text(text: str) -> str:
    """Ask about a free text that seems to hold a name, a date or a record number; "" where it doesn't."""
    if _holds_date(text):
        return f"This seems to hold a date. {HOW_IN_TEXT}"
    if RECORD.search(text) or NAMED_RECORD.search(text):
        return f"This seems to hold a record number. {HOW_IN_TEXT}"
    if NAME_IN_TEXT.search(text):
        return f"This seems to hold a name. {HOW_IN_TEXT}"
    return ""


def _holds_joined_name(text: str) -> bool:
    """Whether two words in capitals of names stand together, or one with a year, in any alphabet that has capitals."""
    dated = NAME_AND_YEAR.fullmatch(text)
    if RUN_TOGETHER.search(text) or (dated and dated["one"].istitle()):
        return True
    pairs = ((found["one"], found["two"], found["gap"]) for found in JOINED_NAME.finditer(text))
    return any(
        (one.istitle() and two.istitle()) or (gap == "." and one.islower() and two.islower()) for one, two, gap in pairs
    )


def _holds_date(text: str) -> bool:
    if DATE_IN_WORDS.search(text):
        return True
    return any(map(_is_date, (found for pattern in (*DATES, SHORT_DATE) for found in pattern.finditer(text))))


def _is_date(found: re.Match[str]) -> bool:
    try:
        datetime.date(int(found["y"]) or 2000, int(found["m"]), int(found["d"]))
    except ValueError:
        return False
    return True

"""What board and register keep: one kind of entry, written once and never changed."""

from dataclasses import dataclass
from typing import Literal, get_args

from sqlalchemy import Boolean, Column, Float, Integer, MetaData, String, Table, Text

from core.errors import InputError

Kind = Literal[
    "decision",
    "note",
    "reading",
    "estimate",
    "correction",
    "shown",
    "registered",
    "outcome",
    "follow-up",
    "withdrawal",
    "reinstatement",
    "put into use",
    "taken back",
    "withheld",
]
WITHHELD: Kind = "withheld"
KINDS: tuple[Kind, ...] = tuple(kind for kind in get_args(Kind) if kind != WITHHELD)
REGISTER: tuple[Kind, ...] = ("registered", "outcome", "follow-up", "withdrawal", "reinstatement")
BUNDLE_USE: tuple[Kind, ...] = ("put into use", "taken back")
SAID: tuple[Kind, ...] = tuple(kind for kind in KINDS if kind not in {"shown", *REGISTER, *BUNDLE_USE})
MAX_TEXT = 4_000
METADATA = MetaData()

ENTRIES = Table(
    "entries",
    METADATA,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("time_utc", String(32), nullable=False),
    Column("patient", String(64), nullable=False, index=True),
    Column("cohort_sha256", String(64), nullable=False),
    Column("author", String(100), nullable=False),
    Column("role", String(20), nullable=False),
    Column("kind", String(20), nullable=False),
    Column("text", Text, nullable=False),
    Column("agrees", Boolean),
    Column("bundle_sha256", String(64), nullable=False),
    Column("input_sha256", String(64), nullable=False),
    Column("probability", Float),
    Column("low", Float),
    Column("high", Float),
    Column("group", String(10), nullable=False),
    Column("previous", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
    Column("key_id", String(16), nullable=False),
    Column("seal", String(64), nullable=False),
    Column("author_key", String(255), nullable=False, server_default=""),
    Column("centre", String(100), nullable=False, server_default=""),
    Column("exam_date", String(10), nullable=False, server_default=""),
    Column("bundle", String(100), nullable=False, server_default=""),
    Column("identity", String(64), nullable=False, server_default=""),
    Column("details", Text, nullable=False, server_default=""),
    Column("corrects", Integer),
)
HEAD = Table(
    "head",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("number", Integer, nullable=False),
    Column("hash", String(64), nullable=False),
)
ESTIMATES = Table(
    "estimates",
    METADATA,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("patient", String(64), nullable=False),
    Column("centre", String(100), nullable=False),
    Column("exam_date", String(10), nullable=False),
    Column("bundle", String(100), nullable=False),
    Column("bundle_sha256", String(64), nullable=False),
    Column("first_outcome", Integer),
    Column("withdrawals", Integer, nullable=False),
)
STANDING = """SELECT e.number, e.patient, e.centre, e.exam_date, e.bundle, e.bundle_sha256, o.first_outcome,
    COALESCE(w.balance, 0) AS withdrawals
FROM entries e
LEFT JOIN (SELECT patient, min(number) AS first_outcome FROM entries WHERE kind = 'outcome' GROUP BY patient) o
    ON o.patient = e.patient
LEFT JOIN (SELECT corrects, sum(CASE kind WHEN 'withdrawal' THEN 1 ELSE -1 END) AS balance FROM entries
    WHERE kind IN ('withdrawal', 'reinstatement') GROUP BY corrects) w ON w.corrects = e.number
WHERE e.kind = 'registered'"""
NOT_STANDING = f"""SELECT min(number) FROM (
    SELECT * FROM (SELECT * FROM estimates EXCEPT {STANDING}) added
    UNION ALL SELECT * FROM ({STANDING} EXCEPT SELECT * FROM estimates) missing) differing"""  # noqa: S608 - constants


@dataclass(frozen=True)
class Entry:
    """What somebody says about one patient.

    Parameters
    ----------
    patient : str
        Pseudonym.
    author, role : str
        Who says it: initials or name, and their role.
    author_key : str
        Subject of the login, which no two people share; empty where there is no login. Never shown.
    kind : str
        Of the board: "decision", "note", "correction"; "reading" is an own estimate, "estimate" the model's that was
        shown after it, "shown" notes that the author was shown the model's without a reading: a later reading is not
        blind. Of the register: "registered" is an estimate, "outcome" what pathology found, "follow-up"; "withdrawal"
        takes an estimate out of all counts, "reinstatement" puts it back. Of no patient: a bundle "put into use" or
        "taken back". A `Record` that stands for one that does not hold is "withheld".
    text : str
        What they say; the reason of an override, at most 4,000 characters.
    agrees : bool or None
        Whether a decision agrees with the model's call.
    cohort_sha256, bundle_sha256, input_sha256 : str
        Hash of the cohort's table, of the bundle, and of the pixels that the network saw; empty where there is none.
    probability, low, high : float or None
        The estimate with its interval; of a "reading" the reader's own, without an interval.
    group : {"high", "low", ""}
        Its side of the threshold.
    centre, exam_date, bundle : str
        Of the register: centre, date of the examination (YYYY-MM-DD), name of the bundle.
    identity : str
        Hash of what makes an entry the same as another; it is kept once. Empty where each counts.
    details : str
        What else the register keeps, JSON.
    corrects : int or None
        Number of the entry that this one takes the place of.

    Raises
    ------
    InputError
        If patient, author or kind is missing, the text is too long, or an override has no reason.
    """

    patient: str
    author: str
    kind: Kind
    text: str = ""
    role: str = ""
    agrees: bool | None = None
    cohort_sha256: str = ""
    bundle_sha256: str = ""
    input_sha256: str = ""
    probability: float | None = None
    low: float | None = None
    high: float | None = None
    group: str = ""
    author_key: str = ""
    centre: str = ""
    exam_date: str = ""
    bundle: str = ""
    identity: str = ""
    details: str = ""
    corrects: int | None = None

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise InputError(f"An entry is a {', '.join(KINDS)}, not '{self.kind[:20]}'.")
        is_of_patient = self.kind not in BUNDLE_USE
        if bool(self.patient.strip()) != is_of_patient or len(self.patient) > 64:
            raise InputError("An entry needs a patient's pseudonym of at most 64 characters.")
        if not self.author.strip() or len(self.author) > 100:
            raise InputError("Give your initials, at most 100 characters, so that the entry has an author.")
        if len(self.author_key) > 255:
            raise InputError("The login's subject is longer than 255 characters; ask whoever runs SonoKi.")
        if len(self.text) > MAX_TEXT:
            raise InputError(f"The text is longer than {MAX_TEXT:,} characters; shorten it.")
        if self.kind == "decision" and self.agrees is None:
            raise InputError("Say whether the decision agrees with the model's call or overrides it.")
        if self.agrees is False and not self.text.strip():
            raise InputError("Give the reason for overriding the model's call.")
        if self.kind in {"note", "correction"} and not self.text.strip():
            raise InputError(f"The {self.kind} is empty; write what is to be kept.")
        self._check_register()

    def _check_register(self) -> None:
        if any("\0" in told for told in vars(self).values() if isinstance(told, str)):
            raise InputError("A pseudonym, a centre or another text holds a null byte; take it out of the file.")
        if self.corrects is not None and not self.text.strip():
            raise InputError("Give the reason for the correction.")
        if max(len(self.centre), len(self.bundle)) > 100:
            raise InputError("A name of a centre or bundle has at most 100 characters; shorten it.")

    @property
    def writer(self) -> tuple[str, str]:
        """What tells its author from any other: the login's subject, or the initials where there was no login."""
        return (self.author_key, "") if self.author_key else ("", self.author)

    def is_by(self, author: str, key: str = "") -> bool:
        """Whether somebody wrote it; entries from before subjects were kept are told by the name."""
        return self.writer in {(key, ""), ("", author)} if key else self.writer == ("", author)


@dataclass(frozen=True)
class Record(Entry):
    """An entry as it is kept."""

    number: int = 0  # place in the chain, from 1
    time_utc: str = ""  # ISO 8601 with microseconds, UTC
    # previous, hash: SHA-256 of the entry before, and of this one
    previous: str = ""
    hash: str = ""
    # key_id, seal: key that sealed number and hash, and the HMAC-SHA-256; empty in entries from before there were seals
    key_id: str = ""
    seal: str = ""

    def __post_init__(self) -> None:
        """Take a kept row as it is; `verify_chain` judges it."""

    def to_dict(self) -> dict[str, object]:
        """Give the columns by name."""
        return dict(vars(self))

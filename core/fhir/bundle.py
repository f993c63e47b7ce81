"""A Bundle as its JSON says: resources in their order, and what a reference in one of them points to."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

from core.errors import TableError
from core.tabular.apart import Sentences

Content = dict[str, Any]
TYPES = ("searchset", "collection", "transaction", "batch", "document", "message")
MAX_ENTRIES = 200_000
MAX_DIGITS = 18
WORD = re.compile(r"[A-Za-z][A-Za-z-]{0,39}")
AGAIN = "export a Bundle as JSON"
DAMAGED = f"The FHIR file is damaged or no JSON; {AGAIN} again."
NESTED = f"The FHIR file is nested deeper than any Bundle is; {AGAIN} again."
LINES = f"The FHIR file holds several JSON texts one after another (NDJSON); {AGAIN}."
NO_BUNDLE = f"The FHIR file holds {{what}}, no Bundle; {AGAIN}."
WRONG_TYPE = f"A Bundle of type {{what}} can't be read; {AGAIN} of type {', '.join(TYPES)}."
TOO_MANY = f"The Bundle has more than {MAX_ENTRIES:,} entries; split it."
NO_ENTRIES = "The Bundle has no entries; it needs Observations, and the Patients and Specimens that they name."
TWICE = "Entries {first} and {second} of the Bundle carry the same fullUrl, so references to it are ambiguous."
SENTENCES = Sentences(
    damaged="The FHIR file is damaged; export the Bundle as JSON again.",
    crashed="The FHIR file made its reader fail: it is damaged, or needs more memory than is allowed. Split it.",
    too_slow="The FHIR file took longer than {seconds} seconds to read; split it.",
    too_large="The FHIR file needs more memory than is allowed; split it.",
)
TWO_VALUES = "The FHIR file names a property twice in one object, so its value is ambiguous; export it again."


@dataclass(frozen=True, eq=False)
class Resource:
    """A resource of a Bundle."""

    number: int  # place of its entry in the Bundle, from 1
    content: Content  # JSON
    holder: Content  # resource of the entry, which holds the contained ones

    @property
    def type(self) -> str:
        """Its resourceType."""
        return show_word(self.content.get("resourceType"))


@dataclass(frozen=True, eq=False)
class Bundle:
    """Resources by their place, and by what refers to them."""

    resources: tuple[Resource, ...]  # those of the entries, and the Observations contained in them
    bad: tuple[int, ...]  # entries without a resource
    # by fullUrl and by "Type/id"; None where two go by one name
    by_name: dict[str, Resource | None] = field(default_factory=dict)
    is_part: bool = False  # whether it is one page of several

    def resolve(self, reference: object, holder: Content) -> Content | None:
        """Give what a Reference points to; None where it is not in the Bundle, or ambiguous."""
        text = read_text(reference.get("reference")) if isinstance(reference, dict) else ""
        if text.startswith("#"):
            return next((one for one in list_objects(holder.get("contained")) if one.get("id") == text[1:]), None)
        found = self.by_name.get(strip_version(text))
        return found.content if found else None

    def is_ambiguous(self, reference: Content) -> bool:
        """Whether two resources go by the name that a Reference gives."""
        name = strip_version(read_text(reference.get("reference")))
        return name in self.by_name and self.by_name[name] is None


def parse_bundle(content: bytes) -> Bundle:
    """Parse the JSON of a Bundle; one that can't be understood without a guess is refused."""
    bundle = _load(content)
    if not isinstance(bundle, dict):
        raise TableError(NO_BUNDLE.format(what="a list" if isinstance(bundle, list) else "a single value"))
    if bundle.get("resourceType") != "Bundle":
        kind = show_word(bundle.get("resourceType"))
        raise TableError(NO_BUNDLE.format(what=f"a resource of type {kind}" if kind else "no FHIR resource"))
    if bundle.get("type") not in TYPES:
        raise TableError(WRONG_TYPE.format(what=f"'{show_word(bundle.get('type'))}'"))
    entries = bundle.get("entry")
    if not isinstance(entries, list) or not entries:
        raise TableError(NO_ENTRIES)
    if len(entries) > MAX_ENTRIES:
        raise TableError(TOO_MANY)
    links = {read_text(link.get("relation")) for link in list_objects(bundle.get("link"))}
    return _arrange(entries, is_part="next" in links)


def list_objects(value: object) -> list[Content]:
    """Give the objects of a list."""
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def read_text(value: object) -> str:
    """Give a text without surrounding blanks; "" where there is none."""
    return value.strip() if isinstance(value, str) else ""


def show_word(value: object) -> str:
    """Give a code that can be repeated in a sentence; "" where it is none, as it could be anything."""
    return text if (text := read_text(value)) and WORD.fullmatch(text) else ""


def strip_version(reference: str) -> str:
    """Take the version from a reference."""
    return reference.partition("/_history/")[0]


def name_conditional(reference: object) -> str:
    """Give the identifier of a conditional reference, as transactions have: "Patient?identifier=system|value"."""
    text = read_text(reference.get("reference")) if isinstance(reference, dict) else ""
    query = parse_qs(text.partition("?")[2]) if text.startswith("Patient?") else {}
    return query["identifier"][0].rpartition("|")[2].strip() if "identifier" in query else ""


def count_types(bundle: Bundle) -> Counter[str]:
    """Count the entries by type of their resource."""
    return Counter(one.type or "unknown" for one in bundle.resources if one.content is one.holder)


def _load(content: bytes) -> object:
    try:
        text = content.decode("utf-8-sig")
        return _parse(text)
    except RecursionError:
        raise TableError(NESTED) from None
    except json.JSONDecodeError as error:
        raise TableError(LINES if error.msg == "Extra data" else DAMAGED) from None
    except ValueError:  # no UTF-8, or a number of thousands of digits
        raise TableError(DAMAGED) from None


def _parse(text: str) -> object:
    """Parse JSON; half of a letter, which it can hold, is no text that can be kept or shown: a ValueError."""
    read = json.loads(text, object_pairs_hook=_take_once, parse_constant=_refuse_constant, parse_int=_take_integer)
    if "\\ud" in text.lower():
        json.dumps(read, ensure_ascii=False).encode("utf-8")
    return read


def _take_once(pairs: list[tuple[str, object]]) -> Content:
    """Make an object; a property that is null is not there, as FHIR's JSON has none."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise TableError(TWO_VALUES)
    return {name: value for name, value in found.items() if value is not None}


def _take_integer(digits: str) -> float:
    """Read an integer; one that no field can have as a number of any size, one of thousands of digits not at all."""
    number = int(digits)
    return number if len(digits) <= MAX_DIGITS else float(digits)


def _refuse_constant(_: str) -> None:
    raise TableError(DAMAGED)


def _arrange(entries: list[Any], *, is_part: bool) -> Bundle:
    """Put the resources in order; a fullUrl stands once, and "Type/id" is a name if it stands once."""
    resources: list[Resource] = []
    bad: list[int] = []
    places: dict[str, int] = {}
    by_name: dict[str, Resource | None] = {}
    for number, entry in enumerate(entries, start=1):
        content = entry.get("resource") if isinstance(entry, dict) else None
        if not isinstance(content, dict):
            bad.append(number)
            continue
        resource = Resource(number, content, content)
        resources += [resource, *_list_contained(resource)]
        url = read_text(entry.get("fullUrl"))
        if url and places.setdefault(url, number) != number:
            raise TableError(TWICE.format(first=places[url], second=number))
        for name in {url, *_list_short_names(resource, url)} - {""}:
            by_name[name] = None if name in by_name else resource
    return Bundle(tuple(resources), tuple(bad), by_name, is_part)


def _list_short_names(resource: Resource, url: str) -> Iterator[str]:
    """Give "Type/id", by the resource's id and by its fullUrl."""
    if name := read_text(resource.content.get("id")):
        yield f"{resource.type}/{name}"
    if f"/{resource.type}/" in url:
        yield f"{resource.type}/{url.rpartition('/')[2]}"


def _list_contained(resource: Resource) -> Iterator[Resource]:
    for one in list_objects(resource.content.get("contained")):
        if one.get("resourceType") == "Observation":
            yield Resource(resource.number, one, resource.content)
